// Reads a metadata package as Salesforce's own tools do, and writes it as source: node convert.mjs PACKAGE FOLDER
import { ComponentSet, MetadataConverter } from '@salesforce/source-deploy-retrieve';

const [, , from, to] = process.argv;
const set = ComponentSet.fromSource(from);
const parts = set.getSourceComponents().toArray().map((each) => `${each.type.name} ${each.fullName}`);
const made = { type: 'directory', outputDirectory: to, genUniqueDir: false };
await new MetadataConverter().convert(set, 'source', made);
console.log(JSON.stringify(parts));
