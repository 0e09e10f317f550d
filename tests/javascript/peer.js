// A WAMP peer of another make, which the tests of Spell drive line by line.
//
//     node peer.js <library> <url> <serializer> <realm>
//
// The commands are in tests/foreign.md. The end of the input is the end of the peer.

"use strict";

const readline = require("node:readline");

/** A value as JSON can have it. */
function plain(value) {
  if (value instanceof ArrayBuffer) {
    return plain(new Uint8Array(value));
  }
  if (ArrayBuffer.isView(value)) {
    return { $bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex") };
  }
  if (Array.isArray(value)) {
    return value.map(plain);
  }
  if (typeof value === "bigint") {
    return Number(value);
  }
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  }
  return value;
}

/** The opposite of `plain`. */
function wamp(value) {
  if (Array.isArray(value)) {
    return value.map(wamp);
  }
  if (value !== null && typeof value === "object") {
    const keys = Object.keys(value);
    if (keys.length === 1 && keys[0] === "$bytes") {
      return Buffer.from(value.$bytes, "hex");
    }
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, wamp(item)]));
  }
  return value;
}

function say(answer) {
  process.stdout.write(JSON.stringify(plain(answer)) + "\n");
}

/** Those of these details that are there. */
function known(details, names) {
  return Object.fromEntries(names.filter((name) => details[name]).map((name) => [name, details[name]]));
}

/** An error that a procedure answers with, or that a request got. */
class WampError {
  constructor(uri, args, kwargs) {
    Object.assign(this, { uri, args: args ?? [], kwargs: kwargs ?? {} });
  }
}

// What a procedure does. `call` has its `args`, `kwargs`, `details` and, if the caller wants such, `progress(args)`.
const behaviours = {
  echo({ args, kwargs: { fail, ...kwargs } }) {
    if (fail !== undefined) {
      throw new WampError(fail, args, kwargs);
    }
    return { args, kwargs };
  },
  progress({ args, progress }) {
    if (progress) {
      args.forEach((arg) => progress([arg]));
    }
    return { args: [args.length], kwargs: {} };
  },
  wait({ procedure }) {
    say({ waiting: procedure });
    return new Promise(() => {});
  },
  tell({ details }) {
    return { args: [known(details, ["procedure", "caller", "caller_authid", "caller_authrole"])], kwargs: {} };
  },
};

/** Does what a command says with a joined peer, see the functions of `autobahn.js` and `wampy.js`. */
async function obey(peer, command) {
  const { args, kwargs, options = {} } = command;
  const on_progress = (payload) => say({ progress: payload });
  const finish = (answer) => answer.then((payload) => say({ result: payload }), say_error);
  if (command.call !== undefined) {
    await finish(peer.call(command.call, args, kwargs, options, on_progress));
  } else if (command.begin !== undefined) {
    finish(peer.call(command.begin, args, kwargs, options, on_progress));
    say({ begun: command.begin });
  } else if (command.cancel !== undefined) {
    say({ cancelling: command.cancel });
    peer.cancel(command.cancel);
  } else if (command.stream !== undefined) {
    await finish(peer.stream(command.stream, command.chunks, on_progress));
  } else if (command.register !== undefined) {
    const procedure = command.register;
    const behaviour = behaviours[command.does ?? "echo"];
    const revoked = (reason) => say({ revoked: procedure, reason });
    await peer.register(procedure, (call) => behaviour({ procedure, ...call }), options, revoked);
    say({ registered: procedure });
  } else if (command.subscribe !== undefined) {
    const topic = command.subscribe;
    const revoked = (reason) => say({ revoked: topic, reason });
    const on_event = (args, kwargs, details) => {
      const names = ["topic", "publisher", "publisher_authid", "publisher_authrole", "retained"];
      const told = command.details ? { details: known(details, names) } : {};
      say({ event: topic, args, kwargs, ...told });
    };
    await peer.subscribe(topic, on_event, options, revoked);
    say({ subscribed: topic });
  } else if (command.publish !== undefined) {
    await peer.publish(command.publish, args, kwargs, options);
    say({ published: command.publish });
  } else {
    throw new Error(`unknown command ${JSON.stringify(command)}`);
  }
}

function say_error(error) {
  if (error instanceof WampError) {
    say({ error: error.uri, args: error.args, kwargs: error.kwargs });
  } else {
    say({ broken: String(error?.message ?? error) });
  }
}

async function main() {
  const [library, url, serializer, realm] = process.argv.slice(2);
  const { join } = require(`./${library}.js`);
  const peer = await join({ url, serializer, realm, WampError });
  say({ joined: realm, serializer, session: peer.session });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    await obey(peer, wamp(JSON.parse(line))).catch(say_error);
  }
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
