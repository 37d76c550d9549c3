// Prints, as JSON, what the official parser thinks of each AsyncAPI document named on the command line, and what it found in it.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";
import { AvroSchemaParser } from "@asyncapi/avro-schema-parser";

const ERROR = 0;

async function opinion(path) {
  const parser = new Parser();
  parser.registerSchemaParser(AvroSchemaParser());
  const { document, diagnostics } = await parser.parse(readFileSync(path, "utf8"));
  return {
    errors: diagnostics.filter((found) => found.severity === ERROR).map((found) => `${found.path.join(".")}: ${found.message}`),
    others: diagnostics.filter((found) => found.severity !== ERROR).map((found) => found.code),
    channels: document?.channels().all().map((channel) => ({
      address: channel.address(),
      messages: channel.messages().all().map((message) => ({
        name: message.name(),
        fields: Object.keys(message.payload().properties()),
      })),
    })),
    operations: document?.operations().all().map((operation) => operation.id()),
  };
}

const paths = process.argv.slice(2);
process.stdout.write(JSON.stringify(await Promise.all(paths.map(opinion))));
