// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// Deployed as it is: imported so that it is built with the rest.
import { ERC1967Proxy } from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
