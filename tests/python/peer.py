"""A WAMP peer of another make (autobahn-python), which the tests of Spell drive line by line.

    python peer.py <url> <serializer> <realm>

The commands are in tests/foreign.md. The end of the input is the end of the peer.
"""

import json
import sys

from autobahn.twisted.component import Component
from autobahn.wamp.exception import ApplicationError
from autobahn.wamp.types import CallOptions, CallResult, EncodedPayload, PublishOptions, RegisterOptions, SubscribeOptions
from twisted.internet import reactor, stdio
from twisted.internet.defer import CancelledError, Deferred, DeferredLock, inlineCallbacks
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


def say_error(error):
    if isinstance(error, ApplicationError):
        say(error=error.error, args=error.args, kwargs=error.kwargs)
    elif isinstance(error, CancelledError):
        say(error="wamp.error.canceled", args=[], kwargs={})
    else:
        say(broken=repr(error))


def payload(result):
    """What a call gave, which autobahn unpacks where it can."""
    if isinstance(result, CallResult):
        return {"args": result.results, "kwargs": result.kwresults or {}}
    return {"args": [] if result is None else [result], "kwargs": {}}


def known(details, *names):
    """Those of these details that are there."""
    return {name: getattr(details, name) for name in names if getattr(details, name) is not None}


class Codec:
    """A payload codec: the arguments in JSON, under the name x_json. It hides nothing."""

    def encode(self, is_originating, uri, args=None, kwargs=None):
        text = json.dumps(plain({"args": args or [], "kwargs": kwargs or {}}))
        return EncodedPayload(text.encode(), "x_json", "json", None)

    def decode(self, is_originating, uri, encoded):
        arguments = wamp(json.loads(bytes(encoded.payload)))
        return uri, arguments.get("args"), arguments.get("kwargs")


def echo(_procedure, details, *args, **kwargs):
    uri = kwargs.pop("fail", None)
    if uri is not None:
        raise ApplicationError(uri, *args, **kwargs)
    return CallResult(*args, **kwargs)


def progress(_procedure, details, *args, **kwargs):
    if details.progress:
        for arg in args:
            details.progress(arg)
    return len(args)


def wait(procedure, details, *args, **kwargs):
    say(waiting=procedure)
    return Deferred(lambda _deferred: say(interrupted=procedure))


def tell(_procedure, details, *args, **kwargs):
    return known(details, "procedure", "caller", "caller_authid", "caller_authrole")


BEHAVIOURS = {"echo": echo, "progress": progress, "wait": wait, "tell": tell}


class Commands(LineReceiver):
    """Takes the commands one after another."""

    delimiter = b"\n"
    MAX_LENGTH = 32 * 1024 * 1024

    def __init__(self, session):
        self.session = session
        self.turn = DeferredLock()
        self.begun = None

    def lineReceived(self, line):
        self.turn.run(self.obey, wamp(json.loads(line)))

    def connectionLost(self, reason):
        self.turn.run(self.session.leave)

    @inlineCallbacks
    def obey(self, command):
        session, options = self.session, command.get("options", {})
        try:
            if "call" in command:
                result = yield self.call(command["call"], command)
                say(result=payload(result))
            elif "begin" in command:
                self.begun = self.call(command["begin"], command)
                self.begun.addCallbacks(lambda result: say(result=payload(result)), lambda failure: say_error(failure.value))
                say(begun=command["begin"])
            elif "cancel" in command:
                say(cancelling=command["cancel"])
                # It has no mode to choose.
                self.begun.cancel()
            elif "register" in command:
                procedure, behaviour = command["register"], BEHAVIOURS[command.get("does", "echo")]
                yield session.register(
                    lambda *args, details, **kwargs: behaviour(procedure, details, *args, **kwargs),
                    procedure,
                    RegisterOptions(details_arg="details", **options),
                )
                say(registered=procedure)
            elif "subscribe" in command:
                topic = command["subscribe"]
                on_event = self.on_event(topic, command.get("details", False))
                yield session.subscribe(on_event, topic, SubscribeOptions(details_arg="details", **options))
                say(subscribed=topic)
            elif "publish" in command:
                options = PublishOptions(acknowledge=True, **options)
                args, kwargs = command.get("args", []), command.get("kwargs", {})
                yield session.publish(command["publish"], *args, options=options, **kwargs)
                say(published=command["publish"])
            elif "codec" in command:
                session.set_payload_codec(Codec())
                say(codec=command["codec"])
            else:
                raise ValueError(f"unknown command {command}")
        except Exception as error:
            say_error(error)

    def call(self, procedure, command):
        options = dict(command.get("options", {}))
        if options.pop("receive_progress", False):
            options["on_progress"] = lambda *a, **k: say(progress={"args": a, "kwargs": k})
        args, kwargs = command.get("args", []), command.get("kwargs", {})
        return self.session.call(procedure, *args, options=CallOptions(**options), **kwargs)

    def on_event(self, topic, with_details):
        def on_event(*args, details, **kwargs):
            event = {"event": topic, "args": args, "kwargs": kwargs}
            if with_details:
                event["details"] = known(
                    details, "topic", "publisher", "publisher_authid", "publisher_authrole", "retained"
                )
            say(**event)

        return on_event


def main():
    url, serializer, realm = sys.argv[1:]
    component = Component(transports=[transport(url, serializer)], realm=realm)

    @component.on_join
    def joined(session, details):
        say(joined=details.realm, serializer=details.serializer, session=details.session)
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
