// SPDX-License-Identifier: MIT
//
// The verbs for people who write modules and for those who put them together: new, compile, check, info, pack, image.
// Files are named relative to where the program is called. All but `new` read files from anybody: they run as a child
// with limits (module-job.ts).

import { type Command, InvalidArgumentError } from "commander";
import { guarded } from "./exit.js";
import { checkVerb } from "./module-check.js";
import { imageVerb } from "./module-image.js";
import { infoVerb } from "./module-info.js";
import { limited } from "./module-job.js";
import { LANGUAGES, type Language, newModule } from "./module-new.js";
import { compileVerb, packVerb } from "./module-pack.js";

const EXIT_CODES = `
Exit codes: 0 done, 1 refused or failed (stderr says why), 2 wrong usage.`;

const language = (text: string): Language => {
  const known = LANGUAGES.find((one) => one === text);
  if (known === undefined) throw new InvalidArgumentError(`wanted: ${LANGUAGES.join(", ")}.`);
  return known;
};

export function addModuleVerbs(main: Command): void {
  addNew(main);
  main
    .command("compile")
    .description("a module's folder (AssemblyScript, C or Rust) to one .wasm file with its manifest inside")
    .argument("<folder>", "what `glovebox new module` made, or one like it")
    .option("-o, --output <file>", "where to (NAME.wasm)")
    .option("--source-map", "also FILE.map, by which `glovebox coverage FILE` knows lines (AssemblyScript)")
    .option("--json", "print what was made as JSON")
    .addHelpText("after", `\nExample:\n  glovebox compile my-device -o my-device.wasm\n${EXIT_CODES}`)
    .action((folder: string, options) => limited(folder, () => compileVerb(folder, options)));
  main
    .command("check")
    .description("every reason why a module's file is refused, with function, byte, rule and remedy")
    .argument("<file>", "a .wasm file, or a module's folder")
    .option("--json", "print the reasons as JSON")
    .addHelpText("after", `\nExample:\n  glovebox check vendor.wasm\n${EXIT_CODES} A refused module is 1.`)
    .action((file: string, options) => limited(file, () => checkVerb(file, options)));
  main
    .command("info")
    .description("what a file holds: manifest, sizes, fuel points, largest stack frame, imports, hashes, tools")
    .argument("<file>", "a .wasm or a .gbx file")
    .option("--json", "print it as JSON")
    .addHelpText("after", `\nExample:\n  glovebox info my-device-1.0.0.gbx\n${EXIT_CODES}`)
    .action((file: string, options) => limited(file, () => infoVerb(file, options)));
  main
    .command("pack")
    .description("a module to a .gbx file: checked, metered, compiled; needs gcc and binutils")
    .argument("<file>", "a .wasm file, or a module's folder")
    .option("-o, --output <file>", "where to (NAME-VERSION.gbx)")
    .option("--json", "print what was made as JSON")
    .addHelpText("after", `\nExamples:\n  glovebox pack vendor.wasm\n  glovebox pack my-device -o d.gbx\n${EXIT_CODES}`)
    .action((file: string, options) => limited(file, () => packVerb(file, options)));
  main
    .command("image")
    .description("the kernel, a ramdisk of .gbx files and an xl configuration; .gbx files need no compiler")
    .requiredOption("--modules <folder>", "its .gbx files go in; a .wasm file is packed first")
    .requiredOption("-o, --output <folder>", "where to: glovebox.elf, modules.img, glovebox.cfg")
    .option("--kernel <file>", "the driver domain's kernel (build/unikernel/glovebox.elf)")
    .option("--dry-run", "say what would go in, write nothing")
    .option("--json", "print what went in as JSON")
    .addHelpText("after", `\nExample:\n  glovebox image --modules modules -o /srv/glovebox\n${EXIT_CODES}`)
    .action((options) => limited(options.modules, () => imageVerb(options)));
}

function addNew(main: Command): void {
  const fresh = main.command("new").description("make a starting point").exitOverride();
  fresh
    .command("module")
    .description("a PCI device with one trapped BAR of registers and an interrupt, commented, ready to be compiled")
    .argument("<name>", "lower-case words with - between")
    .option("--lang <language>", `${LANGUAGES.join(", ")}`, language, "as")
    .option("--directory <folder>", "where to (./NAME)")
    .addHelpText("after", `\nExample:\n  glovebox new module my-device --lang c\n${EXIT_CODES}`)
    .exitOverride()
    .action((name: string, options: { lang: Language; directory?: string }) =>
      guarded(async () => newModule(name, options)),
    );
}
