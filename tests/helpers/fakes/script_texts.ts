// The scripts of the world as people type them, and pictures about whose width terminals disagree.

/** A word or two of each script. */
export const SCRIPT_TEXTS: Readonly<Record<string, string>> = {
  Latin: "na\u00efve caf\u00e9",
  "Latin, decomposed": "nai\u0308ve cafe\u0301",
  Vietnamese: "Ti\u1ebfng Vi\u1ec7t",
  Greek: "\u03ba\u03cc\u03c3\u03bc\u03b5",
  Cyrillic: "\u041f\u0440\u0438\u0432\u0435\u0442",
  Hebrew: "\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd",
  Arabic: "\u0645\u064e\u0631\u0652\u062d\u064e\u0628\u0627",
  Hindi: "\u0939\u093f\u0928\u094d\u0926\u0940",
  Marathi: "\u092e\u0930\u093e\u0920\u0940",
  Bengali: "\u09ac\u09be\u0982\u09b2\u09be",
  Punjabi: "\u0a2a\u0a70\u0a1c\u0a3e\u0a2c\u0a40",
  Gujarati: "\u0a97\u0ac1\u0a9c\u0ab0\u0abe\u0aa4\u0ac0",
  Tamil: "\u0ba4\u0bae\u0bbf\u0bb4\u0bcd",
  Telugu: "\u0c24\u0c46\u0c32\u0c41\u0c17\u0c41",
  Kannada: "\u0c95\u0ca8\u0ccd\u0ca8\u0ca1",
  Malayalam: "\u0d2e\u0d32\u0d2f\u0d3e\u0d33\u0d02",
  Sinhala: "\u0dc3\u0dd2\u0d82\u0dc4\u0dbd",
  Thai: "\u0e19\u0e49\u0e33\u0e43\u0e08\u0e14\u0e35",
  Lao: "\u0ea5\u0eb2\u0ea7",
  Khmer: "\u1781\u17d2\u1798\u17c2\u179a",
  Burmese: "\u1019\u103c\u1014\u103a\u1019\u102c",
  Tibetan: "\u0f56\u0f7c\u0f51\u0f0b\u0f66\u0f90\u0f51",
  Georgian: "\u10e5\u10d0\u10e0\u10d7\u10e3\u10da\u10d8",
  Amharic: "\u12a0\u121b\u122d\u129b",
  Japanese: "\u65e5\u672c\u8a9e\u304c\u3067",
  Korean: "\ud55c\uad6d\uc5b4",
  Chinese: "\u4f60\u597d",
};

/** Pictures about which terminals disagree most. */
export const PICTURE_TEXTS: Readonly<Record<string, string>> = {
  "a family": "\u{1f469}\u200d\u{1f469}\u200d\u{1f467}",
  "a flag": "\u{1f1eb}\u{1f1f7}",
  "a heart": "\u2764\ufe0f",
  "a hand": "\u{1f44b}\u{1f3ff}",
  "a face": "\u{1f600}",
};
