export { describeHeadSearch } from './head-search-contract.js';
