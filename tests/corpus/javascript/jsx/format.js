const cents = (value) => Math.round(value * 100);

export const formatPrice = (value) => `${cents(value) / 100} EUR`;
