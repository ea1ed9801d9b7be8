//! Unpacks a mail server and everything it needs into a root of its own.

use std::env;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How the root of one program is made.
#[derive(Clone, Copy, Debug, Hash)]
pub struct Recipe {
    /// Names the root's folder.
    pub name: &'static str,
    /// Debian packages; what they depend on comes along.
    pub packages: &'static [&'static str],
    /// Users the packages' own scripts would have made, each with a group of the same name and number.
    pub accounts: &'static [(&'static str, u32)],
    /// Shell commands run inside the root after unpacking, in place of the packages' own scripts.
    pub setup: &'static str,
}

/// An unpacked root. Never changed once made; instances put their own layer over it.
#[derive(Clone, Debug)]
pub struct Root {
    /// The folder.
    pub path: PathBuf,
}

/// What every root needs beside its server: a shell, its tools, the names of ports, and a certificate maker.
const BASE: [&str; 4] = ["coreutils", "dash", "netbase", "openssl"];

/// The root of this recipe, unpacked now if no earlier run did.
///
/// # Panics
/// If the packages cannot be had or unpacked.
pub fn prepare(recipe: &Recipe) -> Root {
    let store = store();
    let path = store.join(format!("{}-{:016x}", recipe.name, fingerprint(recipe)));
    if path.exists() {
        return Root { path };
    }

    fs::create_dir_all(&store).unwrap_or_else(|error| panic!("cannot make {}: {error}", store.display()));
    let lock = File::create(store.join("lock")).expect("the lock file can be made");
    lock.lock().expect("the lock can be had");
    if !path.exists() {
        let work = store.join(format!("{}.partial", recipe.name));
        // Left behind by a run that was killed.
        let _ = fs::remove_dir_all(&work);
        fs::create_dir_all(work.join("root")).expect("the store can be written");
        download(recipe, &work);
        unpack(&work);
        furnish(recipe, &work.join("root"));
        // The last step, and atomic: a root that has its name is complete.
        fs::rename(work.join("root"), &path).expect("the root can be renamed");
        let _ = fs::remove_dir_all(&work);
    }
    Root { path }
}

fn store() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("target"), PathBuf::from);
    std::path::absolute(target).expect("the target folder has a path").join("mail-servers")
}

/// A changed recipe gets a new root, so that instances over the old one are left alone.
fn fingerprint(recipe: &Recipe) -> u64 {
    let mut hasher = DefaultHasher::new();
    (recipe, BASE, ETC, FURNISH).hash(&mut hasher);
    hasher.finish()
}

/// Fetches the packages and all they depend on, as for a machine that has nothing installed: the root then
/// does not depend on what this one has.
fn download(recipe: &Recipe, work: &Path) {
    let archives = work.join("archives");
    fs::create_dir_all(archives.join("partial")).expect("the store can be written");
    fs::write(work.join("status"), "").expect("the store can be written");
    let mut fetch = Command::new("apt-get");
    fetch
        .args(["install", "--yes", "--quiet", "--no-install-recommends", "--download-only"])
        // Host state is neither read nor locked.
        .args(["-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=root"])
        .args(["-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache="])
        .arg(format!("-oDir::State::status={}", work.join("status").display()))
        .arg(format!("-oDir::State::extended_states={}", work.join("extended").display()))
        .arg(format!("-oDir::Cache::archives={}", archives.display()))
        .args(recipe.packages)
        .args(BASE);
    if run(&mut fetch).is_err() {
        // The package lists are missing, or name versions that have been replaced since.
        let updated = run(Command::new("apt-get").args(["update", "--quiet"]));
        run(&mut fetch).unwrap_or_else(|log| {
            panic!("cannot download {}:\n{log}\nafter apt-get update: {updated:?}", recipe.name)
        });
    }
}

fn unpack(work: &Path) {
    let root = work.join("root");
    for folder in ["bin", "sbin", "lib", "lib64"] {
        fs::create_dir_all(root.join("usr").join(folder)).expect("the root can be written");
        symlink(format!("usr/{folder}"), root.join(folder)).expect("the root can be written");
    }
    let debs: Vec<PathBuf> = fs::read_dir(work.join("archives"))
        .expect("the downloads can be listed")
        .map(|entry| entry.expect("the downloads can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .collect();
    for deb in debs {
        // `dpkg-deb -x` would put a folder in the place of /bin, the link.
        let mut content = Command::new("dpkg-deb")
            .arg("--fsys-tarfile")
            .arg(&deb)
            .stdout(Stdio::piped())
            .spawn()
            .expect("dpkg-deb (package dpkg) can be run");
        run(Command::new("tar")
            .args(["-xp", "--keep-directory-symlink", "--exclude=./usr/share/doc"])
            .args(["--exclude=./usr/share/man", "--exclude=./usr/share/locale", "-C"])
            .arg(&root)
            .stdin(content.stdout.take().expect("the output is piped")))
        .unwrap_or_else(|log| panic!("cannot unpack {}: {log}", deb.display()));
        let ended = content.wait().expect("a child can be waited for");
        assert!(ended.success(), "cannot read {}: {ended}", deb.display());
    }
}

/// Files every root has. Names come from files, and what asks the DNS all the same finds nobody there: glibc
/// reads the first lines of `resolv.conf`, `OpenSMTPD` the last.
const ETC: [(&str, &str); 4] = [
    ("resolv.conf", "nameserver 127.255.255.254\noptions attempts:1 timeout:1\nlookup file\n"),
    ("hosts", "127.0.0.1 localhost\n127.0.0.1 mail.target.example mail\n"),
    ("nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files\nservices: files\n"),
    ("aliases", "postmaster: alice\nabuse: alice\nroot: alice\nMAILER-DAEMON: postmaster\n"),
];

/// What the scripts of the base packages would have done, and a certificate.
const FURNISH: &str = "
umask 022
chmod 755 / /etc /usr /usr/bin /usr/sbin /usr/lib /usr/lib64
chmod 644 /etc/passwd /etc/group /etc/hosts /etc/nsswitch.conf /etc/aliases /etc/resolv.conf
mkdir -p /dev /proc /root /run /var/mail /var/log /var/spool /home /instance /etc/ssl
mkdir -p /tmp /var/tmp; chmod 1777 /tmp /var/tmp
ln -sfn /run /var/run
mknod /dev/null c 1 3
mknod /dev/zero c 1 5
mknod /dev/random c 1 8
mknod /dev/urandom c 1 9
chmod 666 /dev/null /dev/zero /dev/random /dev/urandom
chown root:mail /var/mail; chmod 2775 /var/mail
mkdir -p /home/alice; chown alice:alice /home/alice
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 3650 \\
    -subj /CN=mail.target.example -addext subjectAltName=DNS:mail.target.example \\
    -config /etc/ssl/openssl.cnf -keyout /etc/ssl/mail.key -out /etc/ssl/mail.pem
chmod 600 /etc/ssl/mail.key
";

fn furnish(recipe: &Recipe, root: &Path) {
    let etc = root.join("etc");
    for (name, text) in ETC {
        fs::write(etc.join(name), text).expect("the root can be written");
    }
    let mut passwd = String::from("root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n");
    let mut group = String::from("root:x:0:\nalice:x:1000:\n");
    for &(name, id) in [("daemon", 1), ("bin", 2), ("mail", 8), ("uucp", 10), ("nobody", 65534)]
        .iter()
        .chain(recipe.accounts)
    {
        passwd.extend([name, &format!(":x:{id}:{id}::/nonexistent:/usr/sbin/nologin\n")]);
        group.extend([name, &format!(":x:{id}:\n")]);
    }
    group += "nogroup:x:65533:\n";
    fs::write(etc.join("passwd"), passwd).expect("the root can be written");
    fs::write(etc.join("group"), group).expect("the root can be written");

    run(Command::new("chroot")
        .arg(root)
        .args(["/bin/sh", "-ec", &format!("{FURNISH}{}", recipe.setup)])
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin"))
    .unwrap_or_else(|log| panic!("cannot set up {}: {log}", recipe.name));
}

/// Runs a command to its end. The error is the last of what it said: apt can say thousands of lines.
fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().display().to_string();
    let output = command.output().map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().collect();
    let last = lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n");
    Err(format!("{name}: {}\n{last}", output.status))
}
