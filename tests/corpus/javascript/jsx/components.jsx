import React, { memo, useState } from 'react';
import { formatPrice } from './format.js';

export function Price({ value }) {
  return <b className="price">{formatPrice(value)}</b>;
}

export const Row = memo(({ item, onPick }) => {
  const pick = () => onPick(item);
  return (
    <tr onClick={pick}>
      <Price value={item.price} />
    </tr>
  );
});

export default class Table extends React.Component {
  state = { rows: initialRows() };

  handlePick = (item) => {
    this.setState({ picked: item });
    this.log(item);
  };

  log(item) {
    console.log(formatPrice(item.price));
  }

  renderRow(item) {
    return <Row key={item.id} item={item} onPick={this.handlePick} />;
  }

  render() {
    return <table>{this.state.rows.map((row) => this.renderRow(row))}</table>;
  }
}

function initialRows() {
  return [];
}

export function useRows(load) {
  const [rows, setRows] = useState(() => initialRows());
  return { rows, reload: () => setRows(load()) };
}

Table.Empty = function Empty() {
  return <p />;
};
