/** Every detector against every hostile thing, in four places each; see `hostiles.ts`. */
import { holdAll } from './hostiles.js';

holdAll(4);
