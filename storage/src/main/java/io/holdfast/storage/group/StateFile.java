package io.holdfast.storage.group;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.raft.DamagedException;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/**
 * A file of sections, each with a checksum, so that what is damaged is found with its place:
 *
 * <pre>
 * i32  magic, "HGS1"
 * sections:
 *   u8   kind
 *   i32  bytes of the payload
 *   u32  CRC32C over kind, bytes and payload
 *   payload
 * </pre>
 *
 * <p>The last section is an {@link #END} with the count of those before it.
 */
final class StateFile {
  /** The kind of the last section: i32 count of the others. */
  static final int END = 0;

  private static final int MAGIC = 0x48475331;
  private static final int HEAD_BYTES = 9;

  private StateFile() {}

  private static int crc(int kind, ByteBuffer payload) {
    ByteBuffer head = ByteBuffer.allocate(1 + Integer.BYTES);
    head.put((byte) kind).putInt(payload.remaining()).flip();
    CRC32C crc = new CRC32C();
    crc.update(head);
    crc.update(payload.duplicate());
    return (int) crc.getValue();
  }

  /** Writes a new file. */
  static final class Writer implements Closeable {
    private final Disk disk;
    private final Path file;
    private final DataOutputStream out;
    private int sections;

    /**
     * @param file must not exist
     */
    Writer(Disk disk, Path file) throws IOException {
      this.disk = disk;
      this.file = file;
      disk.createFile(file);
      out =
          new DataOutputStream(
              new BufferedOutputStream(
                  Files.newOutputStream(file, StandardOpenOption.WRITE), 1 << 16));
      out.writeInt(MAGIC);
    }

    /** Writes a section, from the payload's position to its limit. */
    void section(int kind, ByteBuffer payload) throws IOException {
      out.writeByte(kind);
      out.writeInt(payload.remaining());
      out.writeInt(crc(kind, payload));
      out.write(payload.array(), payload.arrayOffset() + payload.position(), payload.remaining());
      sections++;
    }

    /** Ends the file; it is on the disk when this returns, but for its name. */
    void finish() throws IOException {
      section(END, ByteBuffer.allocate(Integer.BYTES).putInt(sections).flip());
      out.close();
      disk.force(file, true);
    }

    @Override
    public void close() throws IOException {
      out.close();
    }
  }

  /** Reads a file; every error names it and the place. */
  static final class Reader implements Closeable {
    private final Path file;
    private final long size;
    private final DataInputStream in;

    /** Where the section begins that was read last. */
    private long offset;

    private long next;
    private int sections;
    private int kind;
    private ByteBuffer payload;

    Reader(Path file) throws IOException {
      this.file = file;
      size = Files.size(file);
      in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file), 1 << 16));
      if (size < Integer.BYTES || in.readInt() != MAGIC) {
        in.close();
        throw defect("this is no state of a group");
      }
      next = Integer.BYTES;
    }

    /**
     * Goes to the next section.
     *
     * @return false behind the last one, if that is where the file ends
     */
    boolean next() throws IOException {
      offset = next;
      if (size - offset < HEAD_BYTES) {
        throw defect("the file ends here, without an end");
      }
      kind = in.readUnsignedByte();
      int bytes = in.readInt();
      final int crc = in.readInt();
      if (bytes < 0 || bytes > size - offset - HEAD_BYTES) {
        throw defect("a section of " + bytes + " bytes does not fit in the file");
      }
      byte[] content = new byte[bytes];
      try {
        in.readFully(content);
      } catch (EOFException e) {
        throw defect("the file was cut off");
      }
      payload = ByteBuffer.wrap(content);
      int expected = crc(kind, payload);
      if (crc != expected) {
        throw defect(
            "checksum is " + Integer.toHexString(crc) + ", not " + Integer.toHexString(expected));
      }
      next = offset + HEAD_BYTES + bytes;
      if (kind != END) {
        sections++;
        return true;
      }
      if (bytes != Integer.BYTES || payload.getInt() != sections || next != size) {
        throw defect("this is not where the file should end");
      }
      return false;
    }

    int kind() {
      return kind;
    }

    ByteBuffer payload() {
      return payload;
    }

    /** An error about the section read last. */
    IOException defect(String what) {
      return new DamagedException("snapshot", file, offset, what);
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }
}
