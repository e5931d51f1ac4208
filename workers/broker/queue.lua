-- All that happens to one queue of one worker, each command as one atomic step.
--
-- The layout is dramatiq's, so that any producer which speaks it is understood, and so that what a stock
-- worker left behind can be taken over. NS = the namespace, Q = the queue, W = the id of a worker.
--
-- KEYS[1]  NS:Q                   list: ids of waiting messages; the head is next
-- KEYS[2]  NS:Q.msgs              hash: id -> message, waiting or handed out
-- KEYS[3]  NS:__acks__.W.Q        set: ids handed out to W and not yet acknowledged
-- KEYS[4]  NS:__heartbeats__      sorted set: worker id -> when it last showed life (ms, the server's clock)
-- KEYS[5]  NS:Q.DQ                list: ids of delayed messages that nobody has looked at yet
-- KEYS[6]  NS:Q.DQ.msgs           hash: id -> delayed message
-- KEYS[7]  NS:Q.DQ.due            sorted set: id -> when it is due (ms). Ours, not dramatiq's: the delayed messages
--                                 that have been looked at, so that nobody has to search for the next one
-- KEYS[8]  NS:Q.deaths            hash: id -> how many workers died while they had the message. Ours; gone with it
--
-- ARGV[1]  the command, ARGV[2..] its arguments
--
-- The only clock is the server's: a skewed clock of a client must not make the living look dead.

local queue, messages, acks, heartbeats = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local delayed, delayed_messages, due, deaths = KEYS[5], KEYS[6], KEYS[7], KEYS[8]

local AT_ONCE = 500 -- values unpacked into one call; Lua's stack takes some 8,000
local UNDIVIDED = 50 -- messages: to divide fewer would cost more than it saves, as every batch costs what 15 messages do
local LARGEST_ETA = 2 ^ 53 -- above it a double no longer counts milliseconds; also keeps out infinity

local function now_ms()
    local time = redis.call('TIME')
    return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function arguments(first)
    local rest = {}
    for i = first, #ARGV do
        rest[#rest + 1] = ARGV[i]
    end
    return rest
end

-- Back to the head, in the order given; only what the worker still held, and what still has a body.
local function put_back(ids)
    local moved = 0
    for i = #ids, 1, -1 do
        if redis.call('SREM', acks, ids[i]) == 1 and redis.call('HEXISTS', messages, ids[i]) == 1 then
            redis.call('LPUSH', queue, ids[i])
            moved = moved + 1
        end
    end
    return moved
end

local function is_dead(worker, timeout_ms)
    local last = redis.call('ZSCORE', heartbeats, worker)
    return last and tonumber(last) <= now_ms() - timeout_ms
end

-- When a delayed message is due; 0, which is at once, when that cannot be read.
local function eta_of(body)
    local readable, message = pcall(cjson.decode, body)
    local options = readable and type(message) == 'table' and message.options
    local eta = type(options) == 'table' and options.eta
    if type(eta) == 'number' and eta > 0 and eta < LARGEST_ETA then
        return eta
    end
    return 0
end

-- Newly delayed messages get their place in the order of their due times.
local function look_at_delayed(limit)
    local ids = redis.call('LPOP', delayed, limit) or {}
    for _, id in ipairs(ids) do
        local body = redis.call('HGET', delayed_messages, id)
        if body then
            redis.call('ZADD', due, eta_of(body), id)
        end
    end
    return #ids
end

local function move_due(now, limit)
    local ids = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, limit)
    for _, id in ipairs(ids) do
        local body = redis.call('HGET', delayed_messages, id)
        if body then
            redis.call('HSET', messages, id, body)
            redis.call('RPUSH', queue, id)
            redis.call('HDEL', delayed_messages, id)
        end
        redis.call('ZREM', due, id)
    end
    return #ids
end

-- A call that meets a value of another type fails, and what the script has done before it stays done. So every key is
-- touched before anything is changed: where somebody has put something else, nothing happens at all.
local function look_at_all_keys(with_delayed)
    redis.call('LRANGE', queue, 0, 0)
    redis.call('HEXISTS', messages, '')
    redis.call('SMISMEMBER', acks, '')
    redis.call('ZSCORE', heartbeats, '')
    redis.call('HEXISTS', deaths, '')
    if with_delayed then
        redis.call('LRANGE', delayed, 0, 0)
        redis.call('HEXISTS', delayed_messages, '')
        redis.call('ZSCORE', due, '')
    end
end

local commands = {}

-- fetch(worker, count, max_bytes, largest, workers) -> now, ids, bodies, whether more is waiting, deaths (none if there are
-- none). At least one message if there is one, then as many as stay within max_bytes and within this worker's share of
-- what is waiting: no worker takes everything while others have nothing to do, a long queue is taken in full batches, and
-- a short one is not divided.
-- Of a message that has more than `largest` bytes, those are handed out. Shows life in the same step: an id in the ack
-- set of a worker that nobody has heard of would never come back.
function commands.fetch()
    local worker, count, max_bytes = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
    local largest, workers = tonumber(ARGV[5]), tonumber(ARGV[6])
    count = math.min(count, math.max(UNDIVIDED, math.ceil(redis.call('LLEN', queue) / workers)))
    local ids = redis.call('LRANGE', queue, 0, count) -- one more than are wanted, to know whether more is waiting
    if #ids == 0 then
        return {0, {}, {}, 0, {}}
    end
    look_at_all_keys()
    local taken, bytes = 1, redis.call('HSTRLEN', messages, ids[1])
    while taken < math.min(#ids, count) do
        bytes = bytes + redis.call('HSTRLEN', messages, ids[taken + 1])
        if bytes > max_bytes then
            break
        end
        taken = taken + 1
    end
    local more = taken < #ids and 1 or 0
    local now = now_ms()
    ids = redis.call('LPOP', queue, taken)
    redis.call('SADD', acks, unpack(ids))
    redis.call('ZADD', heartbeats, now, worker)
    local died = {}
    if redis.call('EXISTS', deaths) == 1 then
        died = redis.call('HMGET', deaths, unpack(ids))
    end
    if redis.call('HSTRLEN', messages, ids[1]) > largest then
        -- No other came with it: it has more than max_bytes.
        return {now, ids, {string.sub(redis.call('HGET', messages, ids[1]), 1, largest)}, more, died}
    end
    return {now, ids, redis.call('HMGET', messages, unpack(ids)), more, died}
end

-- ack(id...) -> how many of them the worker still held. The others belong to somebody else by now.
function commands.ack()
    look_at_all_keys()
    local acknowledged = 0
    for first = 2, #ARGV, AT_ONCE do
        local last = math.min(first + AT_ONCE - 1, #ARGV)
        local held = {}
        for i, is_held in ipairs(redis.call('SMISMEMBER', acks, unpack(ARGV, first, last))) do
            if is_held == 1 then
                held[#held + 1] = ARGV[first + i - 1]
            end
        end
        if #held > 0 then
            redis.call('SREM', acks, unpack(held))
            redis.call('HDEL', messages, unpack(held))
            if redis.call('EXISTS', deaths) == 1 then
                redis.call('HDEL', deaths, unpack(held))
            end
            acknowledged = acknowledged + #held
        end
    end
    return acknowledged
end

-- put_back(id...) -> how many went back to the head of the queue, in the order given.
function commands.put_back()
    look_at_all_keys()
    return put_back(arguments(2))
end

-- beat(worker, timeout_ms, ending) -> the ids of workers that have shown no life for so long, and how many of this queue
-- have: theirs have this ending.
function commands.beat()
    local now, alive = now_ms(), 0
    redis.call('ZADD', heartbeats, now, ARGV[2])
    for _, worker in ipairs(redis.call('ZRANGEBYSCORE', heartbeats, now - ARGV[3] + 1, '+inf')) do
        if string.sub(worker, -#ARGV[4]) == ARGV[4] then
            alive = alive + 1
        end
    end
    return {redis.call('ZRANGEBYSCORE', heartbeats, '-inf', now - ARGV[3]), alive}
end

-- reclaim(worker, timeout_ms, forget, count) -> how many messages of a dead worker went back to the queue. Looks
-- again whether it is dead: it may have come back, or somebody else may have been quicker. With count '1' each message
-- has one more death: it may have been the cause.
function commands.reclaim()
    if not is_dead(ARGV[2], tonumber(ARGV[3])) then
        return 0
    end
    look_at_all_keys()
    local held = redis.call('SMEMBERS', acks)
    local moved = put_back(held)
    for _, id in ipairs(ARGV[5] == '1' and held or {}) do
        if redis.call('HEXISTS', messages, id) == 1 then
            redis.call('HINCRBY', deaths, id, 1)
        end
    end
    redis.call('DEL', acks)
    if ARGV[4] == '1' then
        redis.call('ZREM', heartbeats, ARGV[2])
    end
    return moved
end

-- leave(worker, id...) -> how many messages went back. The ids given come first, in their order.
function commands.leave()
    look_at_all_keys()
    local in_order = put_back(arguments(3))
    local others = put_back(redis.call('SMEMBERS', acks))
    redis.call('DEL', acks)
    redis.call('ZREM', heartbeats, ARGV[2])
    return in_order + others
end

-- postpone(id, eta, ...) -> how many messages moved from the worker's hands to the delayed ones.
function commands.postpone()
    look_at_all_keys(true)
    local moved = 0
    for i = 2, #ARGV, 2 do
        local id, eta = ARGV[i], ARGV[i + 1]
        local body = redis.call('SREM', acks, id) == 1 and redis.call('HGET', messages, id)
        if body then
            redis.call('HSET', delayed_messages, id, body)
            redis.call('ZADD', due, eta, id)
            redis.call('HDEL', messages, id)
            moved = moved + 1
        end
    end
    return moved
end

-- promote(limit) -> how many delayed messages moved to the queue, and the ms until the next one is due (0: there is
-- more to do at once; -1: there is none).
function commands.promote()
    if #redis.call('LRANGE', delayed, 0, 0) == 0 and #redis.call('ZRANGE', due, 0, 0) == 0 then
        return {0, -1}
    end
    look_at_all_keys(true)
    local limit = tonumber(ARGV[2])
    local looked_at = look_at_delayed(limit)
    local now = now_ms()
    local moved = move_due(now, limit)
    if looked_at == limit or moved == limit then
        return {moved, 0}
    end
    local first = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
    return {moved, first[2] and math.max(math.ceil(first[2] - now), 1) or -1}
end

-- strays(id...) -> the ids of messages that are neither in the list nor in anybody's hands; up to AT_ONCE of them. Those
-- given that are among them go to the end of the queue. KEYS[9..] are the ack sets of all workers that were ever heard of.
-- Looks only if there are more messages than ids, which is quickly counted, and not while the queue is long.
local LONG = 10000

function commands.strays()
    local known_ones = redis.call('LLEN', queue)
    if known_ones > LONG then
        return {}
    end
    for i = 9, #KEYS do
        known_ones = known_ones + redis.call('SCARD', KEYS[i])
    end
    if redis.call('HLEN', messages) <= known_ones then
        return {}
    end
    local known = {}
    for _, id in ipairs(redis.call('LRANGE', queue, 0, -1)) do
        known[id] = true
    end
    for i = 9, #KEYS do
        for _, id in ipairs(redis.call('SMEMBERS', KEYS[i])) do
            known[id] = true
        end
    end
    local astray = {}
    for _, id in ipairs(redis.call('HKEYS', messages)) do
        if not known[id] and #astray < AT_ONCE then
            astray[#astray + 1] = id
            known[id] = 'astray'
        end
    end
    for i = 2, #ARGV do
        if known[ARGV[i]] == 'astray' then
            redis.call('RPUSH', queue, ARGV[i])
        end
    end
    return astray
end

return commands[ARGV[1]]()
