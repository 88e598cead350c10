/** Moving in from nsqd: its data path, read-only, and the import of it. */
package io.holdfast.tools.nsqd;
