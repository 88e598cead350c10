package io.holdfast.tools.cli;

import picocli.CommandLine.IVersionProvider;

/** The version in the jar's manifest. */
public final class Version implements IVersionProvider {
  /** The tools' name in help and messages. */
  public static final String NAME = "holdfast-tools";

  @Override
  public String[] getVersion() {
    String version = Version.class.getPackage().getImplementationVersion();
    return new String[] {
      NAME + " " + (version == null ? "(not from a release jar)" : version),
      "Java " + Runtime.version()
    };
  }
}
