/**
 * A policy's text with its Markdown: the tree that the one reader gives, as elements. There is no HTML in
 * it to be let through, and links are those that lint lets pass; each opens beside the console.
 */
import type { ReactNode } from 'react';
import { readMarkdown, type Block, type Inline } from '../../policies/markdown.js';
import { Shown } from './shown.js';

function inline(one: Inline, key: number): ReactNode {
  switch (one.kind) {
    case 'text':
      return <Shown key={key} text={one.text} />;
    case 'code':
      return (
        <code key={key}>
          <Shown text={one.text} />
        </code>
      );
    case 'break':
      return <br key={key} />;
    case 'strong':
      return <strong key={key}>{one.children.map(inline)}</strong>;
    case 'emphasis':
      return <em key={key}>{one.children.map(inline)}</em>;
    case 'link':
      return (
        <a key={key} href={one.href} target="_blank" rel="noopener noreferrer">
          {one.children.map(inline)}
        </a>
      );
  }
}

function block(one: Block, key: number): ReactNode {
  switch (one.kind) {
    case 'paragraph':
      return <p key={key}>{one.children.map(inline)}</p>;
    case 'code':
      return (
        <pre key={key}>
          <code>{one.text}</code>
        </pre>
      );
    case 'list': {
      const items = one.items.map((item, at) => <li key={at}>{item.map(inline)}</li>);
      return one.isOrdered ? <ol key={key}>{items}</ol> : <ul key={key}>{items}</ul>;
    }
  }
}

export function Marked({ text }: { readonly text: string }) {
  return <div className="marked">{readMarkdown(text).blocks.map(block)}</div>;
}
