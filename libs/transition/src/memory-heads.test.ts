import { describeHeadSearch } from './head-search-contract.js';
import { MemoryHeads } from './memory-heads.js';

describeHeadSearch('memory', (model) => Promise.resolve(new MemoryHeads(model)));
