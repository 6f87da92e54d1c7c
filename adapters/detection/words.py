"""What tells: words that only one of our languages has, for `han` and `english`."""

from __future__ import annotations


def _list(words: str) -> tuple[str, ...]:
    return tuple(words.split())


SMALL_WORDS = _list(
    """
    i it i'm i've i'd i'll im ive my mine your yours you you're we our us they their them he she his her
    it's its this that these those there here what what's which who when where why how is are was were am
    be been being has have had do does did don't doesn't didn't dont doesnt didnt can't cant cannot
    couldn't could would should will won't wont isn't isnt aren't wasn't haven't hasn't not the an and but
    because if or so of to for from with without by at about into after before since until still yet
    already just only again now today yesterday tomorrow please pls plz thanks thank sorry any some someone
    anyone anything nothing something all more other every
    """
)
"""Small words. A few (was, will, am) are those of neighbours, too: see who is asked then, in `detector`."""

PLAIN_WORDS = _list(
    """
    a in on me no can may must as up out off hi hello hey dear sir help need want get got getting give take
    make made see seen show showing shows tell told know let try tried trying keep keeps kept use used
    using work works working go going come came back send sent sending receive received wait waiting waited
    happen happened find found look looking check checking checked change changed changing reset open
    opened opening close closed lost lose stolen hacked locked unlock blocked frozen freeze stuck missing
    pending failed fail fails failing wrong right correct error invalid expired rejected denied approved
    confirm confirmed cancel cancelled canceled delete deleted remove add added update updates withdraw
    withdrawal withdrawals withdrew deposit deposits deposited transfer transfers transferred account
    accounts wallet wallets address addresses balance money fund funds coin coins token tokens crypto
    bitcoin fee fees order orders trade trades trading transaction transactions network exchange market
    limit price bank card payment pay paid refund bonus verification verify verified identity document
    documents passport photo selfie code codes email mail phone number password login log sign signed
    access app website page link browser support team agent human person someone's name day days hour hours
    minute minutes week weeks month long soon fast urgent urgently asap time times first last next new old
    same different good bad great many much very too also really even never always ever once twice two
    three question problem issue issues yes okay ok explain understand forget forgot forgotten remember
    respond speak english talk call contact reply answer response appreciate service customer able unable
    possible impossible reason because through over under between during per than then them did done think
    say said says like stop start started delay delayed scam scammed insufficient declined charged logged
    halted arrived advise enable disable buy bought sell sold selling buying stake staking rate high low
    left amount total
    """
)
"""Words of the desk's daily life; many are understood, and used, in every language."""

CHINESE_WORDS = _list(
    """
    我 你 您 們 很 什 怎 呢 沒 哪 嗎 提款 提领 提領 提现 提現 提币 提幣 充值 充币 充幣 客服 人工 可以 不能
    不是 不行 不知道 能不能 是不是 一直 一下 登入 登錄 收到 到了 好了 多久 多少 已经 已經 如何 也不 都不
    有人 還要 还要 還是 还是 是否 了吗 了嗎 謝謝 麻煩 請問 何时 密碼 帳戶 賬戶 帳號 賬號 手續費 驗證 餘額
    轉帳 轉賬 到帳 到賬 紀錄 註冊 註銷 錯誤 實名 錢包 匯款 開戶 綁定 身份 交易所 訂單 上傳 審核 更換 人民幣
    台幣 港幣 網路 網絡 手機 簡訊 短信 出现 解除限制 護照 為何 无法 無法 付款 文件 邮件 郵件 信箱 打不 出來
    不對 不对
    """
)
"""What nobody writes in Japanese without kana, although Japan's set has its characters, too."""

JAPANESE_WORDS = _list(
    """
    口座 取引 残高 手数料 本人確認 二段階 暗号資産 仮想通貨 振込 引出 携帯電話 電話番号 暗証 至急対 至急連
    至急願 御社 貴社 当方 弊社 払戻 売却 為替 証拠金 販売所 約定 指値 成行 反映 対応 不具合 解約 退会 未着
    着金 日本円 円転 宛先 入金済 出金先 出金制限 問合 教示 利用停止 再提出 書類 間違 入金額 入金先 送付
    申込 制限解除 希望 照会 何卒 宜敷 可能性 不可能 受付 締切 名義
    """
)
"""Likewise the other way round: words that Chinese says with other ones."""
