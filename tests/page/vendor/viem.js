// What the page needs to talk to contracts: coding of calls, results, errors and events, keccak, signing.
export { decodeErrorResult, decodeEventLog, decodeFunctionData, decodeFunctionResult } from "viem/utils";
export { encodeEventTopics, encodeFunctionData, getAddress, isAddress, keccak256 } from "viem/utils";
export { privateKeyToAccount } from "viem/accounts";
