package io.holdfast.tools.bench.suite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.tools.ToolRun;
import io.holdfast.tools.cli.StopSignal;
import io.holdfast.tools.cli.ToolException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever happens, the repository is left as it was. */
class WorktreeTest {
  @TempDir private Path temp;
  private Path repo;

  @BeforeEach
  void create() throws IOException {
    repo = Files.createDirectory(temp.resolve("repo"));
    git("init", "--quiet");
    commit("one");
    commit("two");
  }

  private String git(String... args) {
    return Environment.output(
        repo, Stream.concat(Stream.of("git"), Stream.of(args)).toArray(String[]::new));
  }

  private void commit(String content) throws IOException {
    Files.writeString(repo.resolve("file"), content);
    git("add", "file");
    git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "-m", content);
  }

  private void assertClean() throws IOException {
    assertEquals(1, git("worktree", "list").lines().count());
    try (Stream<Path> left = Files.list(temp)) {
      assertEquals(List.of(repo), left.toList());
    }
  }

  @Test
  void shouldCheckOutACommitAndRemoveItAgain() throws IOException {
    String hash = Worktree.resolve(repo, "HEAD~1");
    Path dir = temp.resolve("tree");
    try (Worktree worktree = Worktree.open(repo, hash, dir)) {
      assertEquals("one", Files.readString(worktree.dir().resolve("file")));
      worktree.build(List.of("sh", "-c", "echo built > result"), new StopSignal());
      assertEquals("built\n", Files.readString(dir.resolve("result")));
    }
    assertFalse(Files.exists(dir));
    assertClean();
  }

  @Test
  void shouldSayWhyABuildFailed() throws IOException {
    String hash = Worktree.resolve(repo, "HEAD");
    try (Worktree worktree = Worktree.open(repo, hash, temp.resolve("tree"))) {
      ToolException e =
          assertThrows(
              ToolException.class,
              () -> worktree.build(List.of("sh", "-c", "echo no; exit 3"), new StopSignal()));
      assertEquals(hash.substring(0, 10) + " does not build: no", e.getMessage());
    }
    assertClean();
  }

  @Test
  void shouldRefuseCommitsThatAreNotThere() {
    assertEquals(
        "no commit 'nope' in " + repo,
        assertThrows(ToolException.class, () -> Worktree.resolve(repo, "nope")).getMessage());
  }

  private ToolRun guard(String base, String head, String build) {
    return ToolRun.start(
        "",
        "bench",
        "guard",
        "--repo",
        repo.toString(),
        "--work",
        temp.toString(),
        "--build",
        build,
        base,
        head);
  }

  @Test
  void shouldCleanUpWhenNothingWasBuilt() throws Exception {
    ToolRun run = guard("HEAD~1", "HEAD", "true");
    assertEquals(1, run.code());
    assertTrue(run.err().contains("no Holdfast in "), run.err());
    assertClean();
  }

  @Test
  void shouldCleanUpWhenStopped() throws Exception {
    ToolRun run = guard("HEAD~1", "HEAD", "sh -c 'touch started; sleep 60'");
    Awaitility.await()
        .atMost(20, TimeUnit.SECONDS)
        .until(() -> git("worktree", "list").lines().count() == 2);
    run.stop.stop();
    assertEquals(1, run.code());
    assertTrue(run.err().contains("stopped"), run.err());
    assertClean();
  }

  @Test
  void shouldRefuseToCompareACommitWithItself() throws Exception {
    ToolRun run = guard("HEAD", "HEAD", "true");
    assertEquals(2, run.code());
    assertTrue(run.err().contains("HEAD and HEAD are the same commit"), run.err());
  }
}
