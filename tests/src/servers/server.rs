//! Runs one instance of a mail server over its root, and ends it without a trace.

use std::fs::{self, File, Permissions};
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use tempfile::TempDir;

use super::Sink;
use super::root::{Recipe, prepare};

/// A running mail server. Dropping it ends every process it started.
#[derive(Debug)]
pub struct Server {
    /// Where it listens: a loopback address and port of its own.
    pub addr: SocketAddr,
    folder: TempDir,
    namespace: Child,
}

/// What an instance has of its own.
pub(super) struct Instance {
    /// Where it must listen.
    pub(super) addr: SocketAddr,
    /// Files laid over the root, by absolute path.
    pub(super) files: Vec<(&'static str, String)>,
    /// Shell commands, the last one the server in the foreground. What it prints is the log.
    pub(super) command: String,
}

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// Becomes process 1 of the new namespaces. Everything mounted here goes when they go.
const ENTER: &str = r#"
set -e
umask 022
echo mail.target.example >/proc/sys/kernel/hostname
cd "$2/mount"
mount -t tmpfs -o mode=755 tmpfs .
cd "$2/mount"
mkdir upper work root
mount -t overlay -o "lowerdir=$1,upperdir=upper,workdir=work" overlay root
mount --bind "$2" root/instance
mount -t proc proc root/proc
exec env -i PATH=/usr/sbin:/usr/bin chroot root /bin/sh -e /instance/run
"#;

/// The kernel kills every process of the namespace when process 1 ends, which is when the server ends or when
/// the pipe to the test breaks: a test that is killed leaves nothing running either.
fn run_script(command: &str) -> String {
    format!(
        "umask 022
cp -R --preserve=timestamps /instance/files/. /
exec 3<&0
( {command} ) 3<&- </dev/null >>/instance/log 2>&1 &
server=$!
( cat <&3 >/dev/null; kill -KILL $server ) 2>/dev/null &
exec 3<&-
wait $server || echo \"the server ended with status $?\" >>/instance/log
"
    )
}

impl Server {
    /// Starts an instance and waits until it greets.
    ///
    /// # Panics
    /// If it does not greet within 30 s; the message has the log.
    pub(super) fn start(recipe: &Recipe, instance: &Instance) -> Self {
        Self::start_until(greets, recipe, instance)
    }

    /// Starts an instance of a server that waits for its client to speak first.
    ///
    /// # Panics
    /// If it does not listen within 30 s; the message has the log.
    pub(super) fn start_listening(recipe: &Recipe, instance: &Instance) -> Self {
        Self::start_until(listens, recipe, instance)
    }

    fn start_until(ready: fn(SocketAddr, Duration) -> bool, recipe: &Recipe, instance: &Instance) -> Self {
        let root = prepare(recipe);
        let folder = tempfile::Builder::new().prefix("relayprobe-").tempdir().expect("a folder can be made");
        furnish(&folder, instance).expect("the instance's folder can be written");
        let stderr = fs::OpenOptions::new().append(true).create(true).open(folder.path().join("log"));
        let namespace = Command::new("unshare")
            .args(["--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "sh", "-c", ENTER, "sh"])
            .arg(&root.path)
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(stderr.expect("the log can be written"))
            .spawn()
            .expect("unshare (package util-linux) can be run");
        let mut server = Self { addr: instance.addr, folder, namespace };
        server.wait_until(ready, recipe.name);
        server
    }

    /// What the server has logged so far.
    pub fn log(&self) -> String {
        let log = fs::read(self.folder.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Waits until the log has these words.
    ///
    /// # Panics
    /// If it does not have them within 30 s; the message has the log.
    pub fn wait_for_log(&self, words: &str) {
        let begin = Instant::now();
        while !self.log().contains(words) {
            assert!(begin.elapsed() < PATIENCE, "the log never says {words:?}:\n{}", self.log());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The instance's own folder: what the server calls `/instance`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a shell command inside, as root, and gives what it prints.
    ///
    /// # Panics
    /// If it fails; the message has what it printed.
    pub fn run(&self, command: &str) -> String {
        let of_server = format!("/proc/{}/ns", self.namespace.id());
        let output = Command::new("nsenter")
            .arg(format!("--mount={of_server}/mnt"))
            .arg(format!("--uts={of_server}/uts"))
            .arg(format!("--ipc={of_server}/ipc"))
            // The process we started stands outside; only its children are in the namespace.
            .arg(format!("--pid={of_server}/pid_for_children"))
            .args(["env", "-i", "PATH=/usr/sbin:/usr/bin", "chroot"])
            .arg(self.folder().join("mount/root"))
            .args(["/bin/sh", "-ec", command])
            .stdin(Stdio::null())
            .output()
            .expect("nsenter (package util-linux) can be run");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(output.status.success(), "{command}: {}\n{said}", output.status);
        said
    }

    fn wait_until(&mut self, ready: fn(SocketAddr, Duration) -> bool, name: &str) {
        let begin = Instant::now();
        while !ready(self.addr, PATIENCE.saturating_sub(begin.elapsed())) {
            let ended = self.namespace.try_wait().expect("a child can be waited for");
            assert!(
                ended.is_none() && begin.elapsed() < PATIENCE,
                "{name} at {} is not there ({ended:?}). Its log:\n{}",
                self.addr,
                self.log(),
            );
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.namespace.stdin.take());
        // Comes back only when the last process of the namespace is gone.
        let begin = Instant::now();
        while matches!(self.namespace.try_wait(), Ok(None)) {
            if begin.elapsed() > Duration::from_secs(5) {
                let _ = self.namespace.kill();
                let _ = self.namespace.wait();
                break;
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

fn furnish(folder: &TempDir, instance: &Instance) -> std::io::Result<()> {
    let path = folder.path();
    fs::create_dir(path.join("mount"))?;
    let files = path.join("files");
    fs::create_dir(&files)?;
    for (name, text) in &instance.files {
        let file = files.join(name.trim_start_matches('/'));
        fs::create_dir_all(file.parent().map_or_else(PathBuf::new, PathBuf::from))?;
        fs::write(&file, text)?;
        fs::set_permissions(&file, Permissions::from_mode(0o644))?;
        // Postfix waits for a file that has just been written, in case its writer is not done.
        File::options().write(true).open(&file)?.set_modified(SystemTime::now() - Duration::from_hours(1))?;
    }
    fs::write(path.join("run"), run_script(&instance.command))?;
    fs::write(path.join("log"), "")?;
    // Servers drop their privileges before they log.
    fs::set_permissions(path.join("log"), Permissions::from_mode(0o666))?;
    fs::set_permissions(path, Permissions::from_mode(0o755))
}

/// Whether a server there says any reply line in time.
fn greets(addr: SocketAddr, patience: Duration) -> bool {
    let Ok(mut stream) = TcpStream::connect_timeout(&addr, patience.max(Duration::from_millis(1))) else {
        return false;
    };
    let mut greeting = String::new();
    let heard = stream.set_read_timeout(Some(patience.max(Duration::from_millis(1)))).is_ok()
        && BufReader::new(&stream).read_line(&mut greeting).is_ok();
    let _ = stream.write_all(b"QUIT\r\n");
    heard && greeting.len() > 3 && greeting.bytes().take(3).all(|byte| byte.is_ascii_digit())
}

/// Whether a server takes connections there.
fn listens(addr: SocketAddr, patience: Duration) -> bool {
    TcpStream::connect_timeout(&addr, patience.max(Duration::from_millis(1))).is_ok()
}

/// A loopback address nobody else has, with a port that was free a moment ago. Picked at random, because test
/// processes know nothing of each other.
pub fn free_address() -> SocketAddr {
    loop {
        let [x, y, z, ..] = RandomState::new().hash_one(()).to_be_bytes();
        let ip = Ipv4Addr::new(127, 64 | x, y, z.clamp(1, 254));
        if let Ok(addr) = TcpListener::bind((ip, 0)).and_then(|listener| listener.local_addr()) {
            return addr;
        }
    }
}

/// The sink, or a loopback port that is always closed, for servers that cannot throw mail away.
pub(super) fn outside_or_nowhere(sink: Sink) -> SocketAddr {
    sink.unwrap_or_else(|| SocketAddr::from(([127, 255, 255, 254], 1)))
}
