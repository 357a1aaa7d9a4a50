// Loaded before a program: the RSA pairs that it makes are one that is there already, the one of the vectors. To make
// one takes 200 ms of a processor, for each connection; rsa_test.ts and the executables' tests have fresh ones.

import vectors from "../../vectors/v1.json" with { type: "json" };

const { subtle } = crypto;
const generateKey = subtle.generateKey.bind(subtle);
let pair: Promise<CryptoKeyPair> | undefined;

async function readPair(algorithm: RsaHashedImportParams): Promise<CryptoKeyPair> {
  const text = vectors.rsa_private_key_pkcs8_pem.replaceAll(/-----[A-Z ]+-----|\s/g, "");
  const bytes = Uint8Array.fromBase64(text);
  const privateKey = await subtle.importKey("pkcs8", bytes, algorithm, true, ["decrypt"]);
  const { kty = "", n = "", e = "" } = await subtle.exportKey("jwk", privateKey);
  return {
    privateKey,
    publicKey: await subtle.importKey("jwk", { kty, n, e }, algorithm, true, ["encrypt"]),
  };
}

Object.defineProperty(subtle, "generateKey", {
  configurable: true,
  value: (...args: Parameters<typeof generateKey>) => {
    const [algorithm] = args as unknown as [RsaHashedImportParams & { modulusLength?: number }];
    if (algorithm.name !== "RSA-OAEP" || algorithm.modulusLength !== 2_048) {
      return generateKey(...args);
    }
    return pair ??= readPair(algorithm);
  },
});
