package io.holdfast.tools.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.tools.ToolProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A user who may not read is told so: it is neither damage nor an empty directory. */
class UnreadableSystemTest {
  @TempDir Path temp;

  /** Root may read everything, so the tools run as another user then. */
  private String asUser() throws Exception {
    open(temp);
    if (!"root".equals(System.getProperty("user.name"))) {
      return "$TOOLS";
    }
    Path jar = temp.resolve("tools.jar");
    Files.copy(Path.of("target", "holdfast-tools.jar"), jar);
    open(jar);
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String tools =
        "setpriv --reuid=65534 --regid=65534 --clear-groups "
            + java
            + " -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -jar "
            + jar;
    try (ToolProcess probe = ToolProcess.start(temp, tools + " --version")) {
      Assumptions.assumeTrue(
          probe.code() == 0, "the tools do not run as another user: " + probe.err());
    }
    return tools;
  }

  private static void open(Path path) throws Exception {
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  @Test
  void shouldSayWhatItMayNotRead() throws Exception {
    String tools = asUser();
    Path dir = temp.resolve("data");
    SampleDir sample = SampleDir.create(dir);
    try (Stream<Path> all = Files.walk(dir)) {
      for (Path path : all.toList()) {
        open(path);
      }
    }
    Path file = sample.ledgerFile();
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("---------"));
    for (String command :
        List.of("verify DIR", "dump DIR", "summary DIR", "export DIR -t orders -c a")) {
      try (ToolProcess run =
          ToolProcess.start(temp, tools + " " + command.replace("DIR", dir.toString()))) {
        assertEquals(2, run.code(), run.err());
        String said = run.err() + run.out();
        assertTrue(said.contains(file + ": permission denied"), said);
        assertEquals(1, run.err().lines().count() + (run.err().isEmpty() ? 1 : 0), run.err());
      }
    }
    Files.setPosixFilePermissions(
        dir.resolve("topics"), PosixFilePermissions.fromString("---------"));
    try (ToolProcess run = ToolProcess.start(temp, tools + " verify " + dir)) {
      assertEquals(2, run.code(), run.err());
      assertEquals(
          "holdfast-tools verify: " + dir.resolve("topics") + ": permission denied\n", run.err());
    }
    open(dir.resolve("topics"));
  }
}
