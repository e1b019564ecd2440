export { default } from "@harbour/eslint-config/base";
