package io.holdfast.storage.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.ChronicleSetup;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import net.openhft.chronicle.core.Jvm;
import net.openhft.chronicle.core.Memory;
import net.openhft.chronicle.core.UnsafeMemory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a young process can stand when the stores are compiled. */
class CompiledStoresTest {
  private static final String STOOD = "stood it";

  @TempDir Path dir;

  /** The process that the test starts: young, so that its own code is interpreted. */
  public static final class Victim {
    private static final int BYTES = 8192;

    /** Touches mapped memory behind the end of a file. */
    public static void main(String[] args) throws Exception {
      ChronicleSetup.silence();
      CompiledStores.compile();
      try (FileChannel file =
          FileChannel.open(
              Path.of(args[0]),
              StandardOpenOption.CREATE,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE)) {
        MappedByteBuffer mapped = file.map(FileChannel.MapMode.READ_WRITE, 0, BYTES);
        long address = Jvm.address(mapped);
        file.truncate(0);
        Memory memory = UnsafeMemory.INSTANCE;
        List<Runnable> stores =
            List.of(
                () -> memory.compareAndSwapInt(address, 0, 1),
                () -> memory.compareAndSwapInt(null, address, 0, 1),
                () -> memory.compareAndSwapLong(address, 0, 1),
                () -> memory.compareAndSwapLong(null, address, 0, 1),
                () -> memory.testAndSetInt(address, 0, 0, 1),
                () -> memory.addInt(address, 1),
                () -> memory.addLong(address, 1),
                () -> memory.writeOrderedInt(address, 1),
                () -> memory.writeInt(address, 1),
                () -> memory.writeLong(address, 1),
                () -> memory.setMemory(address, BYTES, (byte) 1));
        for (Runnable store : stores) {
          try {
            store.run();
          } catch (InternalError | IllegalStateException expected) {
            System.out.println(expected);
          }
        }
        System.out.println(STOOD);
      }
    }
  }

  @Test
  void shouldStandStoresToWhereAFileWasCutOff() throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // What it compiles is compiled when the call returns.
    command.add("-Xbatch");
    command.add("-XX:-CreateCoredumpOnCrash");
    for (String opened : List.of("java.lang.reflect", "sun.nio.ch", "java.nio")) {
      command.add("--add-opens=java.base/" + opened + "=ALL-UNNAMED");
    }
    command.add("--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(Victim.class.getName());
    command.add(dir.resolve("file").toString());
    Path out = dir.resolve("out.txt");
    Process process =
        new ProcessBuilder(command)
            .directory(dir.toFile())
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start();
    try {
      assertTrue(process.waitFor(3, TimeUnit.MINUTES), "hangs");
      String said = Files.readString(out, StandardCharsets.UTF_8);
      assertEquals(0, process.exitValue(), said);
      assertTrue(said.contains(STOOD), said);
    } finally {
      process.destroyForcibly();
    }
  }
}
