const unit = require('./jest.config');

/** @type {import('jest').Config} */
module.exports = { ...unit, roots: ['<rootDir>/test'], testRegex: '\\.e2e-spec\\.ts$' };
