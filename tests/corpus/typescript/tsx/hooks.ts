import type { ItemProps } from './item';

export function useItems() {
  const items: ItemProps[] = loadItems();
  const refresh = () => {
    loadItems();
  };
  return { items, refresh };
}

function loadItems(): ItemProps[] {
  return [];
}
