export { default } from "@harbour/eslint-config/next";
