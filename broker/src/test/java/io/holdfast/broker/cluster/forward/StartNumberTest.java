package io.holdfast.broker.cluster.forward;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.Disk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StartNumberTest {
  @TempDir Path root;

  private long next(long wallMs) throws IOException {
    return StartNumber.next(Disk.LOCAL, root, () -> wallMs);
  }

  @Test
  void shouldNeverGiveTheSameNumberTwice() throws IOException {
    assertEquals(1000, next(1000));
    assertEquals(1001, next(1000));
    // The clock went back.
    assertEquals(1002, next(10));
    assertEquals(5000, next(5000));
    // The file was lost.
    Files.delete(root.resolve(StartNumber.NAME));
    assertEquals(6000, next(6000));
  }

  @Test
  void shouldSayThatTheFileIsDamaged() throws IOException {
    next(1000);
    Path file = root.resolve(StartNumber.NAME);
    String text = Files.readString(file);
    for (String damaged : new String[] {"", text.replace("1000", "2000"), text + "x"}) {
      Files.writeString(file, damaged);
      IOException refused = assertThrows(IOException.class, () -> next(1000));
      assertTrue(refused.getMessage().startsWith(file + " is damaged: "), refused.getMessage());
      assertEquals(damaged, Files.readString(file));
    }
  }
}
