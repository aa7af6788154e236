export default {
  compilerOptions: { runes: true },
  // Warnings of accessibility are errors: the page is for everyone.
  onwarn: (warning) => {
    throw new Error(`${warning.filename}: ${warning.message}`);
  },
};
