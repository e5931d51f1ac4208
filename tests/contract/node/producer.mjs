// A producer that knows nothing but Redis, JSON and the contract: `node producer.mjs REDIS_URL NAMESPACE`.
import { randomUUID } from "node:crypto";
import Redis from "ioredis";

const [url, namespace] = process.argv.slice(2);
const redis = new Redis(url);
const replyto = `node-${randomUUID()}`;
const run = randomUUID();

function envelope(type, data, sequence) {
  return {
    specversion: "1.0",
    id: randomUUID(),
    source: "node/producer",
    type,
    time: new Date().toISOString(),
    datacontenttype: "application/json",
    replyto,
    correlationid: "from node",
    partitionkey: run,
    sequence: String(sequence),
    data,
  };
}

async function send(queue, argument) {
  const id = randomUUID();
  const message = {
    queue_name: queue,
    actor_name: argument.type,
    args: [argument],
    kwargs: {},
    options: { redis_message_id: id },
    message_id: id,
    message_timestamp: Date.now(),
  };
  await redis
    .multi()
    .hset(`${namespace}:${queue}.msgs`, id, JSON.stringify(message))
    .rpush(`${namespace}:${queue}`, id)
    .exec();
}

async function read(stream, enough) {
  const found = new Map();
  let after = "0";
  while (!enough([...found.values()])) {
    const answer = await redis.xread("BLOCK", 10000, "STREAMS", stream, after);
    if (answer === null) throw new Error(`nothing more in ${stream}`);
    for (const [id, fields] of answer[0][1]) {
      const event = JSON.parse(fields[1]);
      found.set(event.id, event);
      after = id;
    }
  }
  return [...found.values()];
}

const states = ["PENDING", "RUNNING", "COMPLETED"];
const commands = [
  envelope("flow_run.create", { id: run, flow_name: "from node" }, 1),
  ...states.map((type, index) => envelope("flow_run.set_state", { flow_run_id: run, state: { type } }, index + 2)),
];
for (const command of [...commands].reverse()) await send("commands", command);

const answers = await read(`${namespace}:replies:${replyto}`, (all) => all.length === commands.length);
const results = commands.map((command) => answers.find((answer) => answer.causationid === command.id));
const mine = (all) => all.filter((event) => event.subject === run);
const events = mine(await read(`${namespace}:events`, (all) => mine(all).length >= commands.length));
console.log(JSON.stringify({ run, results, events }));
redis.disconnect();
