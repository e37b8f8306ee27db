"""A county of invented villages that is received by parts: its declarations, deliveries, certificates and bucket."""

from __future__ import annotations

import datetime as dt
import ipaddress
import shutil
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from etl import catalog
from etl.demo import county as invented
from etl.scale import county
from tests.bench import county as bench
from twin.settings import Settings

TABLE = "parcels"
EXTENT = (119.4, 30.2, 120.4, 30.9)
BUCKET = """
[[connection]]
id = "county"
kind = "s3"
address = "http://127.0.0.1:1/s3/county"
address_env = "COUNTY_ADDRESS"
user_env = "COUNTY_KEY"
password_env = "COUNTY_SECRET"
"""


def declare(folder: Path) -> Path:
    """Write village.toml, the catalogue, the code lists and the connections below `folder`, and give their folder."""
    village = folder / "village"
    (village / "catalog").mkdir(parents=True)
    shutil.copytree(bench.ROOT / "data" / "codes", village / "codes")
    west, south, east, north = EXTENT
    middle = {"lon": (west + east) / 2, "lat": (south + north) / 2}
    text = bench.VILLAGE.format(west=west, south=south, east=east, north=north, **middle)
    (village / "village.toml").write_text(text, "utf-8")
    parcels = bench.parcels().replace('entity = "parcels"', 'entity = "parcels"\narea_field = "village_code"')
    parcels = parcels.replace("01_county/county.gpkg", "parcels/CODE.fgb").replace('part = "parcels"', 'part = ""')
    (village / "catalog" / "01_county.toml").write_text(bench.CATALOG + parcels, "utf-8")
    (village / "connections.toml").write_text(BUCKET, "utf-8")
    return village


def deliver(folder: Path, villages: int) -> Path:
    """Write each village's delivery below `folder`."""
    invented.write_apart(villages, folder)
    return folder


def settings(folder: Path, village: Path) -> Settings:
    """Give the settings of one machine, whose own data lie in `folder`."""
    return Settings(data=folder, village=village)


def wanted(village: Path, deliveries: str | Path, out: str | Path, *, accept: bool = False) -> county.Wanted:
    """Ask for the parcels."""
    known = catalog.read(village)
    resource = known.resource(TABLE)
    assert resource is not None
    return county.Wanted(resource=resource, known=known, deliveries=str(deliveries), out=str(out), accept=accept)


def certificates(folder: Path, *addresses: str) -> Path:
    """Write a cluster's own authority, and one certificate of its for `addresses`; ca.pem, cert.pem, key.pem."""
    folder.mkdir(parents=True)
    now = dt.datetime.now(dt.UTC)
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "county cluster")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "county")])

    def begun(name: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(public)
        made = made.serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(hours=1))
        return made.not_valid_after(now + dt.timedelta(days=1))

    root = begun(issuer, authority.public_key()).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(a)) for a in addresses])
    leaf = begun(subject, key.public_key()).add_extension(names, critical=False)
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(root.sign(authority, hashes.SHA256()).public_bytes(pem))
    (folder / "cert.pem").write_bytes(leaf.sign(authority, hashes.SHA256()).public_bytes(pem))
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").touch(mode=0o600)
    (folder / "key.pem").write_bytes(plain)
    return folder
