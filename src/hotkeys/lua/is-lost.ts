import { LISTED_LUA } from './listed.js';

/** KEYS: state. ARGV: prefix of the generation's keys. Answers 1 where the generation is not whole. */
export const IS_LOST_LUA = `${LISTED_LUA}
return listed(KEYS[1], ARGV[1]) and 0 or 1
`;
