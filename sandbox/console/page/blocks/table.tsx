import type { DataTableBlock, TableBlock } from '@slack/types';
import { RichText } from './rich-text.tsx';

type Cell = TableBlock['rows'][number][number];

const Words = ({ cell }: { cell: Cell }) => (cell.type === 'rich_text' ? <RichText block={cell} /> : cell.text);

/** A table, its first row as the head. */
export function Table({ block }: { block: TableBlock | DataTableBlock }) {
  const [head = [], ...rows] = block.rows;
  const settings = 'column_settings' in block ? (block.column_settings ?? []) : [];
  const align = (column: number) => ({ textAlign: settings[column]?.align ?? 'left' }) as const;
  return (
    <div className="table">
      <table>
        {block.type === 'data_table' && <caption>{block.caption}</caption>}
        <thead>
          <tr>
            {head.map((cell, column) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: cells have no identity but their place
              <th key={column} style={align(column)}>
                <Words cell={cell} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows have no identity but their place
            <tr key={index}>
              {row.map((cell, column) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: cells have no identity but their place
                <td key={column} style={align(column)}>
                  <Words cell={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
