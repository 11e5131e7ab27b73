import { type FC, useCallback } from 'react';
import { Item, type ItemProps } from './item';
import { useItems } from './hooks';

interface Props {
  title: string;
  onSelect(item: ItemProps): void;
}

export const List: FC<Props> = ({ title, onSelect }) => {
  const { items, refresh } = useItems();
  const select = useCallback((item: ItemProps) => {
    onSelect(item);
    refresh();
  }, []);
  return (
    <section>
      <Heading text={title} />
      {items.map((item) => (
        <Item key={item.name} {...item} onClick={() => select(item)} />
      ))}
    </section>
  );
};

function Heading(props: { text: string }) {
  return <h1>{decorate(props.text)}</h1>;
}

const decorate = (text: string) => `* ${text}`;

export function Page({ Item }: { Item: FC }) {
  return (
    <main>
      <List title="all" onSelect={handle} />
      <Item />
    </main>
  );
}

function handle(item: ItemProps) {
  console.log(item.name);
}
