const themes = { dark: { button: 'black' } };

export const theme = () => themes.dark;
