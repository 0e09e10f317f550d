// autobahn-js, as `peer.js` wants a library.

"use strict";

// The library takes the WebSocket of the browser, which Node.js has had since 22 only.
globalThis.WebSocket = require("ws");
const autobahn = require("autobahn");

const serializers = {
  json: autobahn.serializer.JSONSerializer,
  msgpack: autobahn.serializer.MsgpackSerializer,
  cbor: autobahn.serializer.CBORSerializer,
};

exports.join = ({ url, serializer, realm, WampError }) =>
  new Promise((resolve, reject) => {
    const connection = new autobahn.Connection({
      realm,
      max_retries: 0,
      retry_if_unreachable: false,
      // What a procedure throws is answered with; the library would print it besides.
      on_user_error: () => {},
      on_internal_error: (error) => console.error(error),
      transports: [{ type: "websocket", url, serializers: [new serializers[serializer]()] }],
    });
    connection.onopen = (session) => resolve(new Peer(session, WampError));
    connection.onclose = (reason, details) => {
      reject(new Error(`${reason}: ${details.reason} ${details.message}`));
      return true;
    };
    connection.open();
  });

class Peer {
  constructor(session, WampError) {
    this.opened = session;
    this.session = session.id;
    this.WampError = WampError;
  }

  call(procedure, args, kwargs, options, on_progress) {
    this.last = this.opened.call(procedure, args, kwargs, options);
    return settle(this.last, this.WampError, (result) => on_progress(payload(result))).then(payload);
  }

  cancel(mode) {
    this.last.cancel({ mode });
  }

  register(procedure, behaviour, options, revoked) {
    const endpoint = async (args, kwargs, details) => {
      try {
        const result = await behaviour({ args, kwargs, details, progress: details.progress });
        return new autobahn.Result(result.args, result.kwargs);
      } catch (error) {
        throw error instanceof this.WampError ? new autobahn.Error(error.uri, error.args, error.kwargs) : error;
      }
    };
    return settle(this.opened.register(procedure, endpoint, options), this.WampError).then((registration) => {
      registration.on_unregister.then(revoked);
    });
  }

  subscribe(topic, on_event, options, revoked) {
    return settle(this.opened.subscribe(topic, on_event, options), this.WampError).then((subscription) => {
      subscription.on_unsubscribe.then(revoked);
    });
  }

  publish(topic, args, kwargs, options) {
    return settle(this.opened.publish(topic, args, kwargs, { acknowledge: true, ...options }), this.WampError);
  }
}

/** A promise of JavaScript from one of the library, with errors as `peer.js` has them. */
function settle(promise, WampError, on_progress) {
  return new Promise((resolve, reject) => {
    const refused = (error) =>
      // It calls its own end of a cancelled call by this name.
      reject(
        error instanceof autobahn.Error
          ? new WampError(error.error === "Cancelled" ? "wamp.error.canceled" : error.error, error.args, error.kwargs)
          : error,
      );
    promise.then(resolve, refused, on_progress);
  });
}

/** What a call gave, which the library unpacks where it can. */
function payload(result) {
  if (result instanceof autobahn.Result) {
    return { args: result.args, kwargs: result.kwargs };
  }
  return { args: result === null ? [] : [result], kwargs: {} };
}
