package io.holdfast.tools.bench.suite;

import io.holdfast.tools.cli.ToolException;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Finds a built Holdfast and the command that starts it as it is shipped. Stateless. */
public final class HoldfastBuild {
  private static final List<String> OPTIONS =
      List.of("--data-path={data}", "--tcp-address={tcp}", "--http-address={http}");

  private static final String OWN_JAVA = "-linux-x86_64.tar.gz";

  private HoldfastBuild() {}

  /**
   * The Holdfast of the tree that these tools were built in.
   *
   * @param unpackTo an empty directory, which must stay as long as the broker runs
   */
  public static CommandTemplate own(Path unpackTo) throws IOException {
    return ofTree(tree(location().getParent()), unpackTo);
  }

  /** The commit of the tree that these tools were built in. */
  public static String ownCommit() {
    return Environment.commit(location().getParent());
  }

  /**
   * @param tree a source tree after {@code mvn package}
   * @param unpackTo an empty directory, which must stay as long as the broker runs
   * @throws ToolException when nothing has been built there
   */
  static CommandTemplate ofTree(Path tree, Path unpackTo) throws IOException {
    Path target = tree.resolve("tools").resolve("target");
    if (Files.isDirectory(target)) {
      try (DirectoryStream<Path> archives = Files.newDirectoryStream(target, "holdfast-*.tar.gz")) {
        for (Path archive : archives) {
          if (archive.toString().endsWith(OWN_JAVA)) {
            continue; // Brokers are compared on one Java: the one that the launcher finds.
          }
          Environment.output(
              unpackTo, "tar", "xzf", archive.toAbsolutePath().toString(), "--strip-components=1");
          return command(unpackTo.resolve("bin").resolve("holdfast"));
        }
      }
    }
    throw new ToolException(
        "no Holdfast in " + tree + ": run mvn package there, or give --broker NAME=CMD");
  }

  private static CommandTemplate command(Path launcher) {
    List<String> words = new java.util.ArrayList<>();
    words.add(launcher.toAbsolutePath().toString());
    words.addAll(OPTIONS);
    return new CommandTemplate(List.copyOf(words));
  }

  /** From .../tools/target to the tree. */
  private static Path tree(Path target) {
    Path tools = target.getParent();
    return tools == null || tools.getParent() == null ? target : tools.getParent();
  }

  private static Path location() {
    try {
      return Path.of(
          HoldfastBuild.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new ToolException("cannot find these tools: " + e.getMessage(), e);
    }
  }
}
