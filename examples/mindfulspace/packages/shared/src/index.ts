export * from './session';
export * from './summary';
