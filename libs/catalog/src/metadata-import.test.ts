import { describe, expect, it } from 'vitest';
import { readDelimited } from './delimited.js';
import { readMetadata, type ImportFormat, type ImportMapping, type ImportRow } from './metadata-import.js';

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

function rows(text: string, format: ImportFormat = 'csv', mapping?: ImportMapping): Promise<ImportRow[]> {
  return collect(readMetadata([text], format, mapping));
}

describe('CSV', () => {
  const tricky = '\uFEFFa,b\r\n"x ""y"", z","line\r\nbreak"\r\n\r\nlast,';

  it('reads quotes, line breaks in quotes, CRLF, a byte order mark and blank lines', async () => {
    expect(await collect(readDelimited([tricky]))).toEqual([
      { row: 1, fields: ['a', 'b'] },
      { row: 2, fields: ['x "y", z', 'line\r\nbreak'] },
      { row: 4, fields: ['last', ''] },
    ]);
  });

  it('gives the same records however the text is cut', async () => {
    const whole = await collect(readDelimited([tricky]));
    expect(await collect(readDelimited([...tricky]))).toEqual(whole);
  });

  it.each([
    ['a\n"never closed', 2],
    ['a\n"x"y', 2],
  ])('names the row of what is malformed in %j', async (text, row) => {
    await expect(collect(readDelimited([text]))).rejects.toMatchObject({
      code: 'import.bad-csv',
      pointer: `/rows/${row}`,
    });
  });
});

describe('metadata import', () => {
  it('reads every field of a CSV row', async () => {
    const csv =
      'path,title,artists,isrc,ref:shop,rights.owner,rights.territories,rights.sharePct,unused\n' +
      'a/b.mp3,"Title, with comma",A; B ;,us-s1z-99-00001,x1,Label,DE AT,50,zzz\n';
    expect(await rows(csv)).toEqual([
      {
        row: 2,
        path: 'a/b.mp3',
        metadata: {
          title: 'Title, with comma',
          artists: ['A', 'B'],
          isrc: 'USS1Z9900001',
          refs: [{ namespace: 'shop', value: 'x1' }],
          rights: { owner: 'Label', territories: ['DE', 'AT'], sharePct: 50 },
        },
      },
    ]);
  });

  it('maps columns of another name', async () => {
    const mapping = { Titel: 'title', Barcode: 'ref:ean' };
    expect(await rows('Titel,Barcode\nX,4006381333931\n', 'csv', mapping)).toMatchObject([
      { metadata: { title: 'X', refs: [{ namespace: 'ean', value: '4006381333931' }] } },
    ]);
    await expect(rows('Titel\nX', 'csv', { Titel: 'titel' })).rejects.toMatchObject({
      code: 'import.bad-mapping',
    });
  });

  it('names row and field of each error and goes on', async () => {
    const csv = `title,isrc,rights.validFrom\n${'x'.repeat(301)},nope,\nok,,2026-02-30\nfine,,\nshort\n`;
    const result = await rows(csv);
    expect(result.map((row) => row.errors?.map(({ row: at, field, code }) => [at, field, code]))).toEqual([
      [
        [2, 'title', 'catalog.bad-text'],
        [2, 'isrc', 'catalog.bad-isrc'],
      ],
      [[3, 'rights.validFrom', 'catalog.bad-rights']],
      undefined,
      [[5, '', 'import.field-count']],
    ]);
  });

  it.each([
    ['', 'import.no-columns'],
    ['foo,bar\n1,2', 'import.no-columns'],
  ])('refuses a file without columns it knows: %j', async (text, code) => {
    await expect(rows(text)).rejects.toMatchObject({ code });
  });

  it('reads JSON lines with nested rights and both forms of references', async () => {
    const lines = [
      '{"title":"曲","artists":["A"],"refs":{"shop":"1"},"rights":{"owner":"O","sharePct":12.5}}',
      '',
      '{"title":"b","refs":[{"namespace":"upc","value":"036000291452"}]}',
      'oops',
      '[1]',
      '{"title":5,"artists":[{}]}',
    ].join('\r\n');
    const result = await rows(lines, 'jsonl');
    expect(result).toMatchObject([
      { row: 1, metadata: { title: '曲', artists: ['A'], refs: [{ namespace: 'shop', value: '1' }] } },
      { row: 3, metadata: { refs: [{ namespace: 'upc', value: '036000291452' }] } },
      { row: 4, errors: [{ code: 'import.bad-json' }] },
      { row: 5, errors: [{ code: 'import.bad-json' }] },
      { row: 6, errors: [{ field: 'artists', code: 'import.bad-type' }] },
    ]);
  });
});
