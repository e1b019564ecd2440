/** @type {import('next').NextConfig} */
export default {
  transpilePackages: ["@lumen/prose"],
};
