export interface ItemProps {
  name: string;
  onClick?: () => void;
}

export function Item<T extends ItemProps>(props: T) {
  return <li onClick={props.onClick}>{label<T>(props)}</li>;
}

const label = <T extends ItemProps>(props: T) => props.name;
