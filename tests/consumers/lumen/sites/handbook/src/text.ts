export const text = "Lamps are lit at dusk. ".repeat(100);
