// wampy, as `peer.js` wants a library.

"use strict";

const { Wampy } = require("wampy");
const { CborSerializer } = require("wampy/CborSerializer.js");
const { JsonSerializer } = require("wampy/JsonSerializer.js");
const { MsgpackSerializer } = require("wampy/MsgpackSerializer.js");
const ws = require("ws");

const serializers = {
  json: new JsonSerializer(),
  msgpack: exact(new MsgpackSerializer()),
  cbor: exact(new CborSerializer()),
};

/** A binary serializer whose integers are such: those over 32 bits, ids for example, would go out as floats. */
function exact(serializer) {
  return {
    protocol: serializer.protocol,
    isBinary: serializer.isBinary,
    encode: (message) => serializer.encode(integers(message)),
    decode: (bytes) => serializer.decode(bytes),
  };
}

function integers(value) {
  if (Number.isSafeInteger(value) && value > 0xffffffff) {
    return BigInt(value);
  }
  if (Array.isArray(value)) {
    return value.map(integers);
  }
  if (value !== null && typeof value === "object" && !ArrayBuffer.isView(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, integers(item)]));
  }
  return value;
}

exports.join = async ({ url, serializer, realm, WampError }) => {
  const client = new Wampy(url, {
    ws,
    realm,
    autoReconnect: false,
    serializer: serializers[serializer],
    payloadSerializers: serializers,
  });
  await client.connect();
  return new Peer(client, WampError);
};

class Peer {
  constructor(client, WampError) {
    this.client = client;
    this.session = client.getSessionId();
    this.WampError = WampError;
  }

  call(procedure, args, kwargs, { receive_progress, ...options }, on_progress) {
    if (receive_progress) {
      options.progress_callback = (result) => on_progress(payload(result));
    }
    const answer = this.client.call(procedure, arguments_of(args, kwargs), options);
    this.last = this.client.getOpStatus().reqId;
    return this.settle(answer).then(payload);
  }

  cancel(mode) {
    this.client.cancel(this.last, { mode });
  }

  stream(procedure, chunks, on_progress) {
    const [first, ...rest] = chunks;
    const options = { progress_callback: (result) => on_progress(payload(result)) };
    const { result, sendData } = this.client.progressiveCall(procedure, first, options);
    rest.forEach((chunk, place) => sendData(chunk, { progress: place + 1 < rest.length }));
    return this.settle(result).then(payload);
  }

  register(procedure, behaviour, { answer, ...options }) {
    const endpoint = async ({ argsList, argsDict, details, result_handler }) => {
      const call = { args: argsList ?? [], kwargs: argsDict ?? {}, details };
      if (details.receive_progress) {
        call.progress = (args) => result_handler({ options: { progress: true }, argsList: args });
      }
      try {
        const { args, kwargs } = await behaviour(call);
        // `answer` are options of the result, which the library has for payload passthru.
        return { options: answer ?? {}, ...arguments_of(args, kwargs) };
      } catch (error) {
        if (error instanceof this.WampError) {
          throw { error: error.uri, argsList: error.args, argsDict: error.kwargs };
        }
        throw error;
      }
    };
    return this.settle(this.client.register(procedure, endpoint, options));
  }

  subscribe(topic, on_event, options) {
    const told = ({ details, argsList, argsDict }) => on_event(argsList ?? [], argsDict ?? {}, details);
    return this.settle(this.client.subscribe(topic, told, options));
  }

  publish(topic, args, kwargs, options) {
    return this.settle(this.client.publish(topic, arguments_of(args, kwargs), options));
  }

  /** A promise with errors as `peer.js` has them. */
  settle(promise) {
    return promise.catch((error) => {
      throw error.errorUri ? new this.WampError(error.errorUri, error.argsList, error.argsDict) : error;
    });
  }
}

function arguments_of(args, kwargs) {
  return { argsList: args ?? [], argsDict: kwargs ?? {} };
}

function payload({ argsList, argsDict }) {
  return { args: argsList ?? [], kwargs: argsDict ?? {} };
}
