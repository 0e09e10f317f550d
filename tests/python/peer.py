"""A WAMP peer of another make (autobahn), which the tests of Spell drive line by line.

    python peer.py <url> <serializer> <realm>

Each line on standard input is a JSON object that says what to do, each line on standard output one that says what
came of it, in the order of the requests; events come when they come. The end of the input is the end of the peer.

    {"call": <procedure>, "args": [..], "kwargs": {..}}   {"result": {"args": [..], "kwargs": {..}}}
                                                          {"error": <uri>, "args": [..], "kwargs": {..}}
    {"register": <procedure>}                             {"registered": <procedure>}
    {"subscribe": <topic>}                                {"subscribed": <topic>}
    {"publish": <topic>, "args": [..], "kwargs": {..}}    {"published": <topic>}
                                                          {"event": <topic>, "args": [..], "kwargs": {..}}

A registered procedure gives back what it got; called with the keyword argument `fail`, it fails with that URI and the
other arguments. A byte string is {"$bytes": <hexadecimal digits>}.
"""

import json
import sys

from autobahn.twisted.component import Component
from autobahn.wamp.exception import ApplicationError
from autobahn.wamp.types import CallResult, PublishOptions
from twisted.internet import reactor, stdio
from twisted.internet.defer import DeferredLock, inlineCallbacks
from twisted.protocols.basic import LineReceiver


def transport(url, serializer):
    scheme, _, rest = url.partition(":")
    if scheme == "ws":
        return {"type": "websocket", "url": url, "serializers": [serializer], "max_retries": 0}
    if scheme == "rs":
        host, _, port = rest.lstrip("/").partition(":")
        endpoint = {"type": "tcp", "host": host, "port": int(port)}
    elif scheme in ("unix", "rs+unix"):
        endpoint = {"type": "unix", "path": rest}
        url = "rs://localhost"
    else:
        sys.exit(f"unknown URL {url}")
    return {"type": "rawsocket", "url": url, "endpoint": endpoint, "serializer": serializer, "max_retries": 0}


def plain(value):
    """A value as JSON can have it."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"$bytes": bytes(value).hex()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def wamp(value):
    """The opposite of `plain`."""
    if isinstance(value, dict) and value.keys() == {"$bytes"}:
        return bytes.fromhex(value["$bytes"])
    if isinstance(value, list):
        return [wamp(item) for item in value]
    if isinstance(value, dict):
        return {key: wamp(item) for key, item in value.items()}
    return value


def say(**answer):
    # The original stream: autobahn takes over `sys.stdout` for its log.
    sys.__stdout__.write(json.dumps(plain(answer)) + "\n")
    sys.__stdout__.flush()


def echo(*args, **kwargs):
    uri = kwargs.pop("fail", None)
    if uri is not None:
        raise ApplicationError(uri, *args, **kwargs)
    return CallResult(*args, **kwargs)


class Commands(LineReceiver):
    """Takes the commands one after another."""

    delimiter = b"\n"
    MAX_LENGTH = 32 * 1024 * 1024

    def __init__(self, session):
        self.session = session
        self.turn = DeferredLock()

    def lineReceived(self, line):
        self.turn.run(self.obey, wamp(json.loads(line)))

    def connectionLost(self, reason):
        self.turn.run(self.session.leave)

    @inlineCallbacks
    def obey(self, command):
        session, args, kwargs = self.session, command.get("args", []), command.get("kwargs", {})
        try:
            if "call" in command:
                result = yield session.call(command["call"], *args, **kwargs)
                if isinstance(result, CallResult):
                    say(result={"args": result.results, "kwargs": result.kwresults or {}})
                else:
                    say(result={"args": [] if result is None else [result], "kwargs": {}})
            elif "register" in command:
                yield session.register(echo, command["register"])
                say(registered=command["register"])
            elif "subscribe" in command:
                topic = command["subscribe"]
                yield session.subscribe(lambda *a, **k: say(event=topic, args=a, kwargs=k), topic)
                say(subscribed=topic)
            elif "publish" in command:
                options = PublishOptions(acknowledge=True)
                yield session.publish(command["publish"], *args, options=options, **kwargs)
                say(published=command["publish"])
            else:
                raise ValueError(f"unknown command {command}")
        except ApplicationError as error:
            say(error=error.error, args=error.args, kwargs=error.kwargs)
        except Exception as error:
            say(broken=repr(error))


def main():
    url, serializer, realm = sys.argv[1:]
    component = Component(transports=[transport(url, serializer)], realm=realm)

    @component.on_join
    def joined(session, details):
        say(joined=details.realm, serializer=details.serializer)
        stdio.StandardIO(Commands(session))

    @component.on_connectfailure
    def failed(_component, error):
        print(error, file=sys.stderr)

    def finished(_result):
        if reactor.running:
            reactor.stop()

    reactor.callWhenRunning(lambda: component.start(reactor).addBoth(finished))
    reactor.run()


main()
