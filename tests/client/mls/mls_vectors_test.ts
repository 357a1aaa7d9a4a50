// The vectors of the MLS working group (RFC 9420) through our suite under the library: every case of the suite
// that we claim, 0x0001, in six families. They are read from the workplace, not copied.

import assert from "node:assert/strict";
import { fromHex, toBase64, toHex } from "#platform/bytes.ts";
import { decodeGroupContext } from "ts-mls/groupContext.js";
import { extractWelcomeSecret } from "ts-mls/groupInfo.js";
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import { refhash } from "ts-mls/crypto/hash.js";
import { decryptWithLabel, encryptWithLabel } from "ts-mls/crypto/hpke.js";
import { deriveSecret, deriveTreeSecret, expandWithLabel } from "ts-mls/crypto/kdf.js";
import { signWithLabel, verifyWithLabel } from "ts-mls/crypto/signature.js";
import { type ClientState, joinGroup, makePskIndex } from "ts-mls/clientState.js";
import { defaultClientConfig } from "ts-mls/clientConfig.js";
import { encodeCommit } from "ts-mls/commit.js";
import { initializeEpoch, mlsExporter } from "ts-mls/keySchedule.js";
import { decodeMlsMessage } from "ts-mls/message.js";
import { unprotectPrivateMessage } from "ts-mls/messageProtection.js";
import { unprotectPublicMessage } from "ts-mls/messageProtectionPublic.js";
import { processMessage } from "ts-mls/processMessages.js";
import { encodeProposal } from "ts-mls/proposal.js";
import { decodeRatchetTree } from "ts-mls/ratchetTree.js";
import { createSecretTree } from "ts-mls/secretTree.js";
import { MLS_CRYPTO } from "../../../client/mls/cipher_suite.ts";
import { skipUnless } from "../../helpers/repo/skip.ts";
import { ROOT } from "../../helpers/repo/sources.ts";

const VECTORS = new URL("../shared/vectors/mls/", ROOT);
const present = await Deno.stat(VECTORS).then(({ isDirectory }) => isDirectory, () => false);
const test = skipUnless(present, "the vectors of the MLS working group are not at this workplace");

const SUITE = 1;
const cs = MLS_CRYPTO as unknown as CiphersuiteImpl;

// deno-lint-ignore no-explicit-any -- six shapes of foreign JSON
type Case = any;

async function casesOf(family: string, expected: number): Promise<Case[]> {
  const all: Case[] = JSON.parse(await Deno.readTextFile(new URL(`${family}.json`, VECTORS)));
  const ours = all.filter(({ cipher_suite }) => cipher_suite === SUITE);
  assert.equal(ours.length, expected, `${family}: cases of the suite`);
  return ours;
}

function hex(text: string): Uint8Array {
  return fromHex(text);
}

function isHex(actual: Uint8Array, expected: string, what: string): void {
  assert.equal(toHex(actual), expected, what);
}

function required<T>(value: T | undefined): T {
  assert.ok(value !== undefined);
  return value;
}

test("crypto-basics: derivations, signatures and encryption under labels", async () => {
  for (const vector of await casesOf("crypto-basics", 1)) {
    const { ref_hash, expand_with_label, derive_secret, derive_tree_secret } = vector;
    isHex(await refhash(ref_hash.label, hex(ref_hash.value), cs.hash), ref_hash.out, "RefHash");
    isHex(
      await expandWithLabel(
        hex(expand_with_label.secret),
        expand_with_label.label,
        hex(expand_with_label.context),
        expand_with_label.length,
        cs.kdf,
      ),
      expand_with_label.out,
      "ExpandWithLabel",
    );
    isHex(
      await deriveSecret(hex(derive_secret.secret), derive_secret.label, cs.kdf),
      derive_secret.out,
      "DeriveSecret",
    );
    isHex(
      await deriveTreeSecret(
        hex(derive_tree_secret.secret),
        derive_tree_secret.label,
        derive_tree_secret.generation,
        derive_tree_secret.length,
        cs.kdf,
      ),
      derive_tree_secret.out,
      "DeriveTreeSecret",
    );
    await checkSignature(vector.sign_with_label);
    await checkEncryption(vector.encrypt_with_label);
  }
});

async function checkSignature({ priv, pub, content, label, signature }: Case): Promise<void> {
  const verify = (signed: Uint8Array) =>
    verifyWithLabel(hex(pub), label, hex(content), signed, cs.signature);
  assert.ok(await verify(hex(signature)));
  assert.ok(await verify(await signWithLabel(hex(priv), label, hex(content), cs.signature)));
  const wrong = hex(signature);
  wrong[3] = (wrong[3] as number) ^ 1;
  assert.equal(await verify(wrong), false);
}

async function checkEncryption(vector: Case): Promise<void> {
  const { priv, pub, label, context, plaintext, kem_output, ciphertext } = vector;
  const key = await cs.hpke.importPrivateKey(hex(priv));
  const open = (enc: Uint8Array, ct: Uint8Array) =>
    decryptWithLabel(key, label, hex(context), enc, ct, cs.hpke);
  isHex(await open(hex(kem_output), hex(ciphertext)), plaintext, "the given ciphertext");
  const sealed = await encryptWithLabel(
    await cs.hpke.importPublicKey(hex(pub)),
    label,
    hex(context),
    hex(plaintext),
    cs.hpke,
  );
  isHex(await open(sealed.enc, sealed.ct), plaintext, "our own ciphertext");
}

test("key-schedule: every secret of every epoch", async () => {
  for (const { initial_init_secret, epochs } of await casesOf("key-schedule", 1)) {
    let initSecret = hex(initial_init_secret);
    for (const epoch of epochs) {
      const [context] = required(decodeGroupContext(hex(epoch.group_context), 0));
      const { keySchedule, joinerSecret, encryptionSecret } = await initializeEpoch(
        initSecret,
        hex(epoch.commit_secret),
        context,
        hex(epoch.psk_secret),
        cs.kdf,
      );
      const external = await cs.hpke.deriveKeyPair(keySchedule.externalSecret);
      const { label, context: exported, length, secret } = epoch.exporter;
      for (
        const [actual, expected, what] of [
          [joinerSecret, epoch.joiner_secret, "joiner"],
          [encryptionSecret, epoch.encryption_secret, "encryption"],
          [keySchedule.initSecret, epoch.init_secret, "init"],
          [keySchedule.senderDataSecret, epoch.sender_data_secret, "sender data"],
          [keySchedule.exporterSecret, epoch.exporter_secret, "exporter"],
          [keySchedule.epochAuthenticator, epoch.epoch_authenticator, "authenticator"],
          [keySchedule.externalSecret, epoch.external_secret, "external"],
          [keySchedule.confirmationKey, epoch.confirmation_key, "confirmation"],
          [keySchedule.membershipKey, epoch.membership_key, "membership"],
          [keySchedule.resumptionPsk, epoch.resumption_psk, "resumption"],
          [await cs.hpke.exportPublicKey(external.publicKey), epoch.external_pub, "external key"],
          [
            await mlsExporter(keySchedule.exporterSecret, label, hex(exported), length, cs),
            secret,
            "exported",
          ],
        ] as const
      ) isHex(actual, expected, what);
      initSecret = keySchedule.initSecret;
    }
  }
});

test("key-schedule: the welcome secret", async () => {
  for (const { epochs } of await casesOf("key-schedule", 1)) {
    for (const { joiner_secret, psk_secret, welcome_secret } of epochs) {
      const secret = await extractWelcomeSecret(hex(joiner_secret), hex(psk_secret), cs.kdf);
      isHex(secret, welcome_secret, "welcome");
    }
  }
});

test("message-protection: public and private messages are opened", async () => {
  for (const vector of await casesOf("message-protection", 1)) {
    const context = {
      version: "mls10" as const,
      cipherSuite: cs.name,
      groupId: hex(vector.group_id),
      epoch: BigInt(vector.epoch),
      treeHash: hex(vector.tree_hash),
      confirmedTranscriptHash: hex(vector.confirmed_transcript_hash),
      extensions: [],
    };
    const open = async (text: string) => {
      const [message] = required(decodeMlsMessage(hex(text), 0));
      const key = hex(vector.signature_pub);
      if (message.wireformat === "mls_public_message") {
        const { publicMessage } = message;
        const membershipKey = hex(vector.membership_key);
        return (await unprotectPublicMessage(membershipKey, context, [], publicMessage, cs, key))
          .content;
      }
      assert.equal(message.wireformat, "mls_private_message");
      if (message.wireformat !== "mls_private_message") throw new Error("unreachable");
      const secretTree = await createSecretTree(2, hex(vector.encryption_secret), cs.kdf);
      const { content } = await unprotectPrivateMessage(
        hex(vector.sender_data_secret),
        message.privateMessage,
        secretTree,
        TWO_LEAVES,
        context,
        defaultClientConfig.keyRetentionConfig,
        cs,
        key,
      );
      return content.content;
    };
    for (const form of ["pub", "priv"]) {
      const proposal = await open(vector[`proposal_${form}`]);
      assert.ok(proposal.contentType === "proposal");
      isHex(encodeProposal(proposal.proposal), vector.proposal, `proposal_${form}`);
      const commit = await open(vector[`commit_${form}`]);
      assert.ok(commit.contentType === "commit");
      isHex(encodeCommit(commit.commit), vector.commit, `commit_${form}`);
    }
    const application = await open(vector.application_priv);
    assert.ok(application.contentType === "application");
    isHex(application.applicationData, vector.application, "application_priv");
  }
});

// The vector's tree of two leaves is not given; only that there is a leaf is looked at.
const TWO_LEAVES = [{ nodeType: "leaf" }, undefined, { nodeType: "leaf" }] as Case[];

for (
  const [family, cases] of [
    ["passive-client-welcome", 8],
    ["passive-client-handling-commit", 13],
    ["passive-client-random", 1],
  ] as const
) {
  test(`${family}: a passive client is in the same epoch as everybody after every commit`, async () => {
    let epochs = 0;
    for (const vector of await casesOf(family, cases)) epochs += await followAlong(vector);
    assert.ok(epochs >= cases);
  });
}

async function followAlong(vector: Case): Promise<number> {
  let state = await enter(vector);
  isHex(state.keySchedule.epochAuthenticator, vector.initial_epoch_authenticator, "after Welcome");
  const psks = Object.fromEntries(
    vector.external_psks.map(({ psk_id, psk }: Case) => [
      toBase64(fromHex(psk_id), "base64"),
      hex(psk),
    ]),
  );
  for (const { proposals, commit, epoch_authenticator } of vector.epochs) {
    for (const text of [...proposals, commit]) {
      const [message] = required(decodeMlsMessage(hex(text), 0));
      assert.ok(
        message.wireformat === "mls_public_message" || message.wireformat === "mls_private_message",
      );
      const index = makePskIndex(state, psks);
      ({ newState: state } = await processMessage(message, state, index, () => "accept", cs));
    }
    isHex(state.keySchedule.epochAuthenticator, epoch_authenticator, "after a commit");
  }
  return 1 + vector.epochs.length;
}

async function enter(vector: Case): Promise<ClientState> {
  const [welcome] = required(decodeMlsMessage(hex(vector.welcome), 0));
  const [keyPackage] = required(decodeMlsMessage(hex(vector.key_package), 0));
  assert.ok(welcome.wireformat === "mls_welcome" && keyPackage.wireformat === "mls_key_package");
  const tree = vector.ratchet_tree === null
    ? undefined
    : required(decodeRatchetTree(hex(vector.ratchet_tree), 0))[0];
  const psks = Object.fromEntries(
    vector.external_psks.map(({ psk_id, psk }: Case) => [
      toBase64(fromHex(psk_id), "base64"),
      hex(psk),
    ]),
  );
  return await joinGroup(
    welcome.welcome,
    keyPackage.keyPackage,
    {
      initPrivateKey: hex(vector.init_priv),
      hpkePrivateKey: hex(vector.encryption_priv),
      signaturePrivateKey: hex(vector.signature_priv),
    },
    makePskIndex(undefined, psks),
    cs,
    tree,
  );
}
