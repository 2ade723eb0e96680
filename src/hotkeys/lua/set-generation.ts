/** KEYS: the key of the generation in force. ARGV: the expected one (empty = none), the next one. */
export const SET_GENERATION_LUA = `
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
`;
