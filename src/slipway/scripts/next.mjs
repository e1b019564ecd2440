// An adapter (NEXT_ADAPTER_PATH, from Next 15.5 on) that gives a build the id in SLIPWAY_BUILD_ID where the project sets
// none of its own, and then is no more: what Next makes is what it makes without one.
export default {
  name: 'slipway',
  modifyConfig({ adapterPath, ...config }) {
    if (config.experimental) {
      const { adapterPath: before, ...experimental } = config.experimental;
      config.experimental = experimental;
    }
    const own = config.generateBuildId;
    // With a deployment id Next takes an id that never changes.
    if (!config.deploymentId) config.generateBuildId = async () => (await own?.()) ?? process.env.SLIPWAY_BUILD_ID ?? null;
    return config;
  },
};
