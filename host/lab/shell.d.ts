// SPDX-License-Identifier: MIT
//
// The lab's shell scripts are bundled as text.

declare module "*.sh" {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: that is how esbuild gives texts
  export default text;
}
