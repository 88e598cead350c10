package io.holdfast.tools.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import at.favre.lib.crypto.bcrypt.BCrypt;
import io.holdfast.tools.ToolRun;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class PasswordCommandTest {
  @Test
  void aLineForTheUsersFileAndNothingElse() throws Exception {
    ToolRun run = ToolRun.start("pä:ss\nmore\n", "password", "alice", "--role", "admin");
    assertEquals(0, run.code());
    assertEquals("", run.err());
    String[] parts = run.out().strip().split(":");
    assertEquals("alice admin 3", parts[0] + " " + parts[2] + " " + parts.length);
    byte[] password = "pä:ss".getBytes(StandardCharsets.UTF_8);
    byte[] hash = parts[1].getBytes(StandardCharsets.UTF_8);
    assertTrue(BCrypt.verifyer().verify(password, hash).verified);
  }

  @Test
  void aTokenGoesToStandardError() throws Exception {
    ToolRun run = ToolRun.start("", "password", "job@1", "--role=read", "--token");
    assertEquals(0, run.code());
    byte[] token = run.err().strip().getBytes(StandardCharsets.UTF_8);
    String hash = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(token));
    assertEquals("job@1:" + hash + ":read\n", run.out());
  }

  @Test
  void whatMakesNoSenseIsUsage() throws Exception {
    assertEquals(2, ToolRun.start("x\n", "password", "a b", "--role=read").code());
    assertEquals(2, ToolRun.start("x\n", "password", "a", "--role=root").code());
    assertEquals(2, ToolRun.start("", "password", "a", "--role=read").code());
    assertEquals(2, ToolRun.start("x".repeat(72), "password", "a", "--role=read").code());
    assertEquals(2, ToolRun.start("x\n", "password", "a").code());
  }
}
