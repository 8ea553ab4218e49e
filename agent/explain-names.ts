/**
 * Which components a word of the command line means: a tool by id, alias or name, a component by its id,
 * a package by its whole name, a path. What nothing bears is answered with the nearest right word;
 * nothing is ever explained that was not asked for.
 */
import os from 'node:os';
import path from 'node:path';
import type { Catalogue } from '../policies/catalogue.js';
import type { Component } from '../policies/component.js';
import type { EvaluationInput } from '../policies/evaluate.js';
import { suggestion } from '../policies/nearest.js';
import { CurfewError } from '../wire/errors.js';

export interface Chosen {
  readonly chosen: readonly EvaluationInput[];
  /** Names of tools that the catalogue knows and nothing here is. */
  readonly absent: readonly string[];
}

/** Shorter beginnings of an id mean too many. */
const shortestId = 6;

/** The components that the words mean, all where there are none. Errors: USAGE with the nearest word. */
export function chooseInputs(
  words: readonly string[],
  inputs: readonly EvaluationInput[],
  catalogue: Catalogue,
): Chosen {
  if (words.length === 0) return { chosen: inputs, absent: [] };
  const chosen = new Set<EvaluationInput>();
  const absent: string[] = [];
  for (const word of words) {
    const tool = toolOf(word, catalogue);
    const found = inputs.filter(({ component }) => means(word, tool, component));
    for (const input of found) chosen.add(input);
    if (found.length > 0) continue;
    if (tool === null) throw unknownWord(word, inputs, catalogue);
    absent.push(catalogue.tool(tool)?.name ?? tool);
  }
  return { chosen: inputs.filter((input) => chosen.has(input)), absent };
}

const fold = (text: string): string => text.toLowerCase();

/** The id of the tool that a word names; null: none. */
function toolOf(word: string, catalogue: Catalogue): string | null {
  const known = catalogue.tool(word) ?? catalogue.tool(fold(word));
  if (known !== null) return known.id;
  const isName = (name: string): boolean => fold(name) === fold(word);
  return (
    catalogue.tools.find(({ name, formerNames }) => [name, ...formerNames].some(isName))?.id ?? null
  );
}

function means(word: string, tool: string | null, component: Component): boolean {
  if (tool !== null && component.tool === tool) return true;
  if (fold(component.name) === fold(word) || component.purl === word) return true;
  if (word.length >= shortestId && /^[0-9a-f]+$/.test(word) && component.id.startsWith(word)) {
    return true;
  }
  return isPath(word) && liesAt(component.path, pathOf(word));
}

const isPath = (word: string): boolean => /[/\\]|^[.~]/.test(word);

function pathOf(word: string): string {
  const home = /^~(?=[/\\]|$)/;
  return path.resolve(word.replace(home, () => os.homedir()));
}

/** Whether a component is that file, holds it, or lies below that folder. */
function liesAt(place: string, asked: string): boolean {
  const separator = place.includes('\\') ? '\\' : '/';
  const below = (inner: string, outer: string): boolean =>
    inner === outer || inner.startsWith(outer.endsWith(separator) ? outer : outer + separator);
  return below(place, asked) || below(asked, place);
}

function unknownWord(
  word: string,
  inputs: readonly EvaluationInput[],
  catalogue: Catalogue,
): CurfewError {
  const words = [
    ...inputs.map(({ component }) => component.name),
    ...catalogue.tools.flatMap(({ id, aliases, name }) => [id, ...aliases, name]),
  ];
  const near = suggestion(word, new Set(words));
  return new CurfewError('USAGE', `nothing here is called ${word}${near}`, {
    hint: '`curfew inventory` lists what was found; a tool, a component id, a path or a package can be named.',
  });
}
