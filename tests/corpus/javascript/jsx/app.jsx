import Table, { Price as Cost, useRows } from './components';
import * as parts from './components';

const withFrame = (Inner) => (props) => (
  <div>
    <Inner {...props} />
  </div>
);

const Framed = withFrame(Table);

export default function App({ Price }) {
  const { rows, reload } = useRows(fetchRows);
  if (!rows.length) return <Table.Empty />;
  return (
    <>
      <Framed rows={rows} />
      <Cost value={1} />
      <Price value={2} />
      <parts.Row item={rows[0]} onPick={() => reload()} />
    </>
  );
}

function fetchRows() {
  return [];
}
