/** Every detector against every hostile thing in every place; see `hostiles.ts`. */
import { holdAll } from './hostiles.js';

holdAll(Infinity);
