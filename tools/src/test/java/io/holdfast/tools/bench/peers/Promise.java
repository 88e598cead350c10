package io.holdfast.tools.bench.peers;

/** What an OK is worth; brokers are compared within one. */
enum Promise {
  /** Nothing is on disk. */
  MEMORY("memory", "no promise: gone with the process"),

  /** The kernel has it. */
  WRITTEN("written", "survives kill -9; a power cut costs what was not forced yet"),

  /** The disk has it. */
  FORCED("forced", "survives a power cut: forced to disk before the OK"),

  /** Two of three servers have it. */
  REPLICATED("replicated", "survives the loss of a machine: two of three servers have it");

  private final String label;
  private final String about;

  Promise(String label, String about) {
    this.label = label;
    this.about = about;
  }

  String label() {
    return label;
  }

  String about() {
    return about;
  }
}
