package io.holdfast.tools.bench.suite;

import io.holdfast.tools.cli.StopSignal;
import io.holdfast.tools.cli.ToolException;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A commit of a repository, checked out beside it for as long as this is open, and built there. */
final class Worktree implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Worktree.class);
  private static final int POLL_MS = 100;
  private static final int LOG_TAIL = 600;

  private final Path repo;
  private final Path dir;
  private final String hash;

  private Worktree(Path repo, Path dir, String hash) {
    this.repo = repo;
    this.dir = dir;
    this.hash = hash;
  }

  /**
   * Finds a commit.
   *
   * @param repo a directory in a repository
   * @param name a branch, tag or hash
   * @return its full hash
   * @throws ToolException about usage, when there is no such commit
   */
  static String resolve(Path repo, String name) {
    try {
      return Environment.output(
          repo, "git", "rev-parse", "--quiet", "--verify", "--end-of-options", name + "^{commit}");
    } catch (ToolException e) {
      throw ToolException.usage("no commit '" + name + "' in " + repo);
    }
  }

  /**
   * Checks a commit out.
   *
   * @param hash from {@link #resolve}
   * @param dir not there yet
   */
  static Worktree open(Path repo, String hash, Path dir) {
    Worktree worktree = new Worktree(repo, dir, hash);
    try {
      Environment.output(
          repo, "git", "worktree", "add", "--quiet", "--detach", dir.toString(), hash);
      return worktree;
    } catch (ToolException e) {
      worktree.close();
      throw e;
    }
  }

  Path dir() {
    return dir;
  }

  /**
   * Runs the build, output into a file of its own.
   *
   * @param command such as {@code mvn -q package}
   * @param stop ends it
   * @throws ToolException with its last words when it fails, or when stopped
   */
  void build(List<String> command, StopSignal stop) throws IOException {
    File output = Files.createTempFile(dir, "build-", ".log").toFile();
    Process process =
        new ProcessBuilder(command)
            .directory(dir.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output)
            .redirectInput(new File("/dev/null"))
            .start();
    try {
      while (process.isAlive()) {
        if (stop.await(POLL_MS)) {
          throw new ToolException("stopped");
        }
      }
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    if (process.exitValue() != 0) {
      String text = Files.readString(output.toPath(), StandardCharsets.UTF_8).strip();
      throw new ToolException(
          hash.substring(0, 10)
              + " does not build: "
              + text.substring(Math.max(0, text.length() - LOG_TAIL)).replace('\n', ' '));
    }
  }

  /** Removes the directory, and git's note of it; says so when that fails, and throws nothing. */
  @Override
  public void close() {
    try {
      Environment.output(repo, "git", "worktree", "remove", "--force", dir.toString());
    } catch (ToolException e) {
      log.debug("git worktree remove", e);
      prune();
    }
  }

  private void prune() {
    try {
      SuiteRunner.delete(dir);
      Environment.output(repo, "git", "worktree", "prune");
    } catch (IOException | ToolException e) {
      log.warn("{} is left over ({}); see git worktree prune", dir, ToolException.describe(e));
    }
  }
}
