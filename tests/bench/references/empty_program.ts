// Reference: the smallest program that says it is there.

Deno.stdout.writeSync(new TextEncoder().encode("ready\n"));
