package io.holdfast.tools.cluster;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code bin/holdfast-cluster-demo} as it stands in a distribution: three brokers, one killed. */
@Timeout(600)
class ClusterDemoSystemTest {
  private static final Path SCRIPTS = Path.of("src/dist/bin");

  @TempDir Path dir;
  private Path temp;
  private Path demo;

  @BeforeEach
  void unpack() throws IOException {
    assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "no /bin/sh here");
    temp = Files.createDirectory(dir.resolve("tmp"));
    Path bin = Files.createDirectories(dir.resolve("holdfast/bin"));
    for (String name : List.of("holdfast", "holdfast-tools", "holdfast-cluster-demo")) {
      Path script = bin.resolve(name);
      Files.copy(SCRIPTS.resolve(name), script);
      Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
    Path lib = Files.createDirectories(dir.resolve("holdfast/lib"));
    Files.copy(Path.of("../broker/target/holdfast.jar"), lib.resolve("holdfast.jar"));
    Files.copy(Path.of("target/holdfast-tools.jar"), lib.resolve("holdfast-tools.jar"));
    demo = bin.resolve("holdfast-cluster-demo");
  }

  private Process start(String... args) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(demo.toString());
    builder.command().addAll(List.of(args));
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().put("HOLDFAST_TOOLS_JAVA_OPTS", "-Djava.io.tmpdir=" + temp);
    builder.environment().put("HOLDFAST_JAVA_OPTS", "-Xmx128m -XX:TieredStopAtLevel=1");
    return builder.redirectErrorStream(true).start();
  }

  private void assertNothingIsLeft(List<ProcessHandle> brokers) throws IOException {
    try (Stream<Path> left = Files.list(temp)) {
      assertEquals(
          List.of(), left.filter(each -> each.toString().contains("holdfast-demo")).toList());
    }
    // What a broker's script had started ends by itself, in its own time.
    await("all have ended").until(() -> brokers.stream().noneMatch(ProcessHandle::isAlive));
  }

  @Test
  void nothingIsMissingAfterTheLeaderWasKilled() throws Exception {
    Process process = start("--messages", "60");
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(10, TimeUnit.SECONDS));
    assertEquals(0, process.exitValue(), out);
    assertTrue(out.contains("\nPublished 30 messages at "), out);
    assertTrue(out.contains("\nkill -9 "), out);
    assertTrue(out.contains(": all 60 messages that were answered OK"), out);
    assertTrue(out.endsWith("Nothing is missing. The directory is removed.\n"), out);
    assertNothingIsLeft(List.of());
  }

  @Test
  void whoEndsItLeavesNothing() throws Exception {
    Process process = start();
    // The first line comes before the first broker.
    assertTrue(process.inputReader().readLine().startsWith("Three brokers"));
    List<ProcessHandle> brokers = List.of();
    while (brokers.size() < 3 && process.isAlive()) {
      brokers = process.descendants().toList();
    }
    // Their scripts start others for a moment.
    assertTrue(brokers.size() >= 3, () -> process + " has ended");
    process.destroy();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    assertEquals(128 + 15, process.exitValue());
    assertNothingIsLeft(brokers);
  }
}
